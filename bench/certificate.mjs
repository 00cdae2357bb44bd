import { createPrivateKey, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** Creates a self-signed certificate for 127.0.0.1 that is valid for a day. Node cannot create certificates. */
export function selfSigned() {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'prime256v1',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'der' },
  })
  const ecdsaWithSha256 = sequence(oid(0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02))
  const name = sequence(tagged(0x31, sequence(oid(0x55, 0x04, 0x03), tagged(0x0c, Buffer.from('bench')))))
  const now = Date.now()
  const validity = sequence(time(now - 3_600_000), time(now + 86_400_000))
  const subjectAltName = sequence(tagged(0x87, Buffer.from([127, 0, 0, 1])))
  const extensions = tagged(0xa3, sequence(sequence(oid(0x55, 0x1d, 0x11), tagged(0x04, subjectAltName))))
  const version3 = tagged(0xa0, tagged(0x02, Buffer.from([2])))
  const serial = tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)]))
  const body = sequence(version3, serial, ecdsaWithSha256, name, validity, name, publicKey, extensions)
  const signature = tagged(0x03, Buffer.from([0]), sign('sha256', body, createPrivateKey(privateKey)))
  const lines = sequence(body, ecdsaWithSha256, signature)
    .toString('base64')
    .match(/.{1,64}/g)
  const cert = `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  return { key: privateKey, cert }
}

/** DER: a tag, a length, and the content. */
function tagged(tag, ...contents) {
  const content = Buffer.concat(contents)
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

function sequence(...contents) {
  return tagged(0x30, ...contents)
}

function oid(...bytes) {
  return tagged(0x06, Buffer.from(bytes))
}

function time(milliseconds) {
  const digits = new Date(milliseconds).toISOString().replace(/[-:T]|\.\d+/g, '')
  return tagged(0x18, Buffer.from(digits))
}
