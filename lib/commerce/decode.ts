import { brotliDecompressSync, gunzipSync, inflateRawSync, inflateSync } from 'node:zlib'

const DECODERS: Readonly<Record<string, (body: Buffer, limits: { maxOutputLength: number }) => Buffer>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: (body, limits) => (isZlib(body) ? inflateSync : inflateRawSync)(body, limits),
  br: brotliDecompressSync,
}

/**
 * Decompresses a response body. Gateways compress unasked.
 *
 * @param encoding - The header Content-Encoding.
 * @returns undefined if the encoding is unknown, the data is damaged, or the output is larger than `limit` bytes.
 */
export function decode(body: Buffer, encoding: string, limit: number): Buffer | undefined {
  let decoded = body
  for (const coding of contentCodings(encoding)) {
    const decoder = DECODERS[coding]
    try {
      if (!decoder) return undefined
      decoded = decoder(decoded, { maxOutputLength: limit })
    } catch {
      return undefined
    }
  }
  return decoded
}

/** The codings of a body, in the order in which they are removed. */
export function contentCodings(encoding: string): string[] {
  const codings = encoding.split(',').map((coding) => coding.trim().toLowerCase())
  return codings.filter((coding) => coding !== '' && coding !== 'identity').reverse()
}

/** Whether a deflate body has the zlib header. Some servers leave it out. */
export function isZlib(body: Buffer): boolean {
  return ((body[0] ?? 0) & 0x0f) === 8
}
