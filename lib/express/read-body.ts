import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate, inflateRaw } from 'node:zlib'
import type { Request } from 'express'
import { asObject, parseJson } from '../json'

const MAX_BYTES = 100 * 1024
const BOUNDED = { maxOutputLength: MAX_BYTES }

const decoders: Readonly<Partial<Record<string, (bytes: Buffer) => Promise<Buffer>>>> = {
  gzip: (bytes) => promisify(gunzip)(bytes, BOUNDED),
  'x-gzip': (bytes) => promisify(gunzip)(bytes, BOUNDED),
  br: (bytes) => promisify(brotliDecompress)(bytes, BOUNDED),
  // Some senders leave out the zlib header.
  deflate: (bytes) => promisify(inflate)(bytes, BOUNDED).catch(() => promisify(inflateRaw)(bytes, BOUNDED)),
}

/**
 * Reads the JSON of a request's body, with or without a body parser before it.
 *
 * @returns The parsed JSON, or undefined if it is malformed.
 * @throws Error if the body is larger than 100 kB, cannot be decompressed, or was cut off.
 */
export async function readBody(req: Request): Promise<unknown> {
  const parsed: unknown = req.body
  if (typeof parsed === 'string') return parseText(parsed)
  if (parsed instanceof Uint8Array) return parseBytes(Buffer.from(parsed), req)
  const isUnread = !req.readableDidRead && Object.keys(asObject(parsed) ?? {}).length === 0
  return isUnread ? parseBytes(await readBytes(req), req) : parsed
}

/** Parses bytes that a parser may have decompressed already. */
async function parseBytes(bytes: Buffer, req: Request): Promise<unknown> {
  const decode = decoders[String(req.headers['content-encoding']).trim().toLowerCase()]
  const json = parseText(bytes.toString('utf8'))
  return json === undefined && decode ? parseText((await decode(bytes)).toString('utf8')) : json
}

function parseText(text: string): unknown {
  return parseJson(text.replace(/^\uFEFF/, ''))
}

function readBytes(req: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (req.destroyed) reject(new Error('The body was cut off.'))
    const chunks: Buffer[] = []
    let size = 0
    req.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BYTES) {
        chunks.push(chunk)
        return
      }
      req.pause()
      reject(new Error('The body is too large.'))
    })
    req.once('end', () => resolve(Buffer.concat(chunks)))
    req.once('error', reject)
    req.once('close', () => reject(new Error('The body was cut off.')))
  })
}
