import { Proofs } from '../../lib/codes/proofs'

const ADA = 'ada@home.example'
const NOW = Date.UTC(2026, 0, 1)
const END = NOW + 600_000

beforeEach(() => jest.useFakeTimers({ now: NOW }))
afterEach(() => jest.useRealTimers())

function open(...secretKeys: string[]): Proofs {
  const proofs = new Proofs()
  for (const secretKey of secretKeys) proofs.addKey(secretKey)
  return proofs
}

const proofs = open('secret')
const proof = proofs.make(ADA, END)
const [end = '', hmac = ''] = proof.split('.')

describe('a proof', () => {
  test('is valid for its username, in any spelling, until it expires', () => {
    const id = proofs.read(proof, ADA)
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(proofs.read(proof, 'ＡDA@home.example\u200b')).toBe(id)
    jest.advanceTimersByTime(599_999)
    expect(proofs.read(proof, ADA)).toBe(id)
    jest.advanceTimersByTime(1)
    expect(proofs.read(proof, ADA)).toBeUndefined()
  })

  test('is valid in each process that knows the secret key, even if the process knows other keys, too', () => {
    const id = proofs.read(proof, ADA)
    expect(open('secret').read(proof, ADA)).toBe(id)
    expect(open('new secret', 'secret').read(proof, ADA)).toBe(id)
  })

  test('fits into a fragment of a URL and contains no username', () => {
    expect(proof).toMatch(/^[0-9a-z]+\.[\w-]{43}$/)
    expect(encodeURIComponent(proof)).toBe(proof)
  })

  test('has a different id for each expiry time and username', () => {
    const ids = [proof, proofs.make(ADA, END + 1)].map((one) => proofs.read(one, ADA))
    expect(new Set([...ids, proofs.read(proofs.make('grace', END), 'grace')]).size).toBe(3)
  })

  test('has the same id in every encoding', () => {
    // The last character has two bits that are not part of the HMAC.
    const lasts = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_')
    const spellings = lasts.map((last) => `${end}.${hmac.slice(0, -1)}${last}`)
    const ids = spellings.map((spelling) => proofs.read(spelling, ADA)).filter((id) => id !== undefined)
    expect(ids).toHaveLength(4)
    expect(new Set(ids).size).toBe(1)
  })

  test.each<[string, unknown]>([
    ['undefined', undefined],
    ['an array', [proof]],
    ['an object', { proof }],
    ['empty', ''],
    ['without an end', `.${hmac}`],
    ['without an HMAC', end],
    ['with a later end', `${(END + 1).toString(36)}.${hmac}`],
    ['with zeros before its end', `0${end}.${hmac}`],
    ['with an end in capitals', proof.toUpperCase()],
    ['with a shorter HMAC', proof.slice(0, -1)],
    ['with a longer HMAC', `${proof}A`],
    ['with a line end', `${proof}\n`],
    ['with another HMAC', `${end}.${'A'.repeat(43)}`],
    ['made with another secret key', open('other').make(ADA, END)],
    ['made for another username', proofs.make('grace@home.example', END)],
  ])('is invalid if it is %s', (_name, forged) => {
    expect(proofs.read(forged, ADA)).toBeUndefined()
  })

  test('is neither created nor valid without a secret key', () => {
    expect(() => open().make(ADA, END)).toThrow('A proof needs the secret key of a webhook.')
    expect(open().read(proof, ADA)).toBeUndefined()
  })
})
