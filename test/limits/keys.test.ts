import { deriveKey, foldUsername, Keys } from '../../lib/limits/keys'

const ADA = 'ada.skład@home.example'
const SPELLINGS = [
  'ada.skład@home.example',
  'ADA.SKŁAD@HOME.EXAMPLE',
  'Ada.Skład@Home.Example',
  'ada.ſkład@home.example', // long s
  'ada.skład@home.example'.normalize('NFD'),
  'a\u0301da.skład@home.example', // combining mark
  'ádá.skład@home.example',
  'Ada.S\u212aład@home.example', // Kelvin sign
  'ａｄａ.skład@home.example', // full-width letters
  'ada．skład＠home.example',
  '𝒶𝒹𝒶.skład@home.example', // mathematical letters
  'ⓐⓓⓐ.skład@home.example',
  'ada.skład@home.example\u200b',
  'ada\u00ad.skład@home.example',
  '\u200eada.skład@home.example',
  '\u202aada.skład@home.example\u202c',
  'ada.skład@home.example\0',
  'ada.skład@home\t.example\n',
  ' ada.skład@home.example\u00a0',
  'ad\u2060a.skład@home.example',
  'ada.skład\ufe0f@home.example', // variation selector
  'ada.skład@home.example\u115f', // Hangul filler
]

describe('foldUsername', () => {
  test('gives 22 spellings of one username one form', () => {
    expect(SPELLINGS).toHaveLength(22)
    expect(new Set(SPELLINGS.map(foldUsername))).toEqual(new Set([foldUsername(ADA)]))
  })

  test.each([
    ['ß', 'SS'],
    ['ẞ', 'ß'],
    ['ﬀ', 'FF'],
    ['Σ', 'ς'],
    ['İ', 'i'],
    ['ŉ', 'ʼn'],
  ])('gives %s and %s the same form', (one, other) => {
    expect(foldUsername(`a${one}b`)).toBe(foldUsername(`a${other}b`))
  })

  test('keeps different usernames apart', () => {
    const usernames = ['ada', 'adb', 'a.da', 'a-da', 'a_da', 'a+da', '艾达', 'ада', 'عدا']
    expect(new Set(usernames.map(foldUsername)).size).toBe(usernames.length)
  })

  // Every character would take seconds: the letters with case and the compatibility forms are below U+3000, in the
  // presentation forms, and in a few blocks beyond.
  test('is stable for every character, in each of its cases and normalization forms', () => {
    const unstable: string[] = []
    const ranges = [
      [0, 0x2fff],
      [0xa640, 0xabff],
      [0xf900, 0xffff],
      [0x10400, 0x105ff],
      [0x1d400, 0x1d7ff],
    ]
    for (const code of ranges.flatMap(([from = 0, to = 0]) =>
      Array.from({ length: to - from + 1 }, (_, i) => from + i),
    )) {
      const character = String.fromCodePoint(code)
      const folded = foldUsername(`x${character}`)
      const variants = [
        character.toUpperCase(),
        character.toLowerCase(),
        ...forms(character),
        folded.slice(1),
      ]
      if (variants.some((variant) => foldUsername(`x${variant}`) !== folded)) unstable.push(code.toString(16))
    }
    expect(unstable).toEqual([])
  })
})

describe('Keys', () => {
  const secret = deriveKey('limiter', 'client\nsecret')

  test('are the same in each process that has the same secret, and contain no username', () => {
    const [key, other] = [new Keys(secret), new Keys(deriveKey('limiter', 'client\nsecret'))].map((keys) =>
      keys.of('sign-in', ADA),
    )
    expect(key).toBe(other)
    expect(key).toMatch(/^sign-in:[\w-]{43}$/)
  })

  test.each([
    ['another purpose', new Keys(secret).of('code', ADA)],
    ['another username', new Keys(secret).of('sign-in', 'grace@home.example')],
    ['another client secret', new Keys(deriveKey('limiter', 'client\nother')).of('sign-in', ADA)],
    ['another use', new Keys(deriveKey('proofs', 'client\nsecret')).of('sign-in', ADA)],
    ['another process without a secret', new Keys().of('sign-in', ADA)],
  ])('differ for %s', (_name, key) => {
    expect(key.split(':')[1]).not.toBe(new Keys(secret).of('sign-in', ADA).split(':')[1])
  })
})

describe('Keys without a secret', () => {
  const keys = new Keys()

  test('are short and differ, however long the usernames are', () => {
    const long = 'a'.repeat(100)
    const made = [ADA, 'grace@home.example', long, `${long}b`].map((username) => keys.of('sign-in', username))
    expect(new Set(made).size).toBe(4)
    expect(Math.max(...made.map(({ length }) => length))).toBeLessThanOrEqual(64)
    expect(keys.of('code', ADA)).not.toBe(keys.of('sign-in', ADA))
  })
})

function forms(text: string): string[] {
  return ['NFC', 'NFD', 'NFKC', 'NFKD'].map((form) => text.normalize(form))
}
