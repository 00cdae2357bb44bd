import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'

/** A certificate and its key, in PEM; made anew with each run, so that none expires in the repository. */
export interface Certificate {
  cert: string
  key: string
}

interface Subject {
  host: string
  /** When it ends; a day from now by default. */
  until?: Date
}

const DAY = 86_400_000

/** An authority, and the certificates that it makes. */
export function authority(name: string) {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const make = (subject: string, key: KeyObject, extensions: Buffer, until: Date): string => {
    const body = sequence(
      tagged(0xa0, integer(2)),
      integer(1 + Math.floor(Math.random() * 2 ** 31)),
      ECDSA_WITH_SHA256,
      nameOf(name),
      sequence(time(new Date(until.getTime() - 30 * DAY)), time(until)),
      nameOf(subject),
      key.export({ type: 'spki', format: 'der' }),
      tagged(0xa3, sequence(extensions)),
    )
    const der = sequence(body, ECDSA_WITH_SHA256, bits(sign('sha256', body, privateKey)))
    return `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
  }
  const tomorrow = new Date(Date.now() + DAY)
  return {
    /** What a client that trusts it is given, and what a server shows that has no other certificate. */
    own: {
      cert: make(name, publicKey, sequence(BASIC_CONSTRAINTS, TRUE, octets(sequence(TRUE))), tomorrow),
      key: pem(privateKey),
    },
    certify({ host, until = tomorrow }: Subject): Certificate {
      const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
      const names = sequence(SUBJECT_ALT_NAME, octets(sequence(tagged(0x82, Buffer.from(host)))))
      return { cert: make(host, pair.publicKey, names, until), key: pem(pair.privateKey) }
    },
  }
}

function pem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

// X.509 in DER (RFC 5280), as far as is needed here.
function tagged(tag: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts)
const octets = (body: Buffer): Buffer => tagged(0x04, body)
const bits = (body: Buffer): Buffer => tagged(0x03, Buffer.from([0]), body)
const oid = (hex: string): Buffer => tagged(0x06, Buffer.from(hex, 'hex'))
const time = (date: Date): Buffer =>
  tagged(0x17, Buffer.from(date.toISOString().replace(/[-:T]/g, '').slice(2, 14) + 'Z'))
const nameOf = (common: string): Buffer =>
  sequence(tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(common)))))
function integer(value: number): Buffer {
  const bytes = Buffer.alloc(5)
  bytes.writeUInt32BE(value, 1)
  const zeros = bytes.findIndex((byte) => byte !== 0)
  const from = bytes.readUInt8(zeros) >= 0x80 ? zeros - 1 : zeros
  return tagged(0x02, bytes.subarray(from))
}
const TRUE = Buffer.from([0x01, 0x01, 0xff])
const BASIC_CONSTRAINTS = oid('551d13')
const SUBJECT_ALT_NAME = oid('551d11')
const ECDSA_WITH_SHA256 = sequence(oid('2a8648ce3d040302'))
