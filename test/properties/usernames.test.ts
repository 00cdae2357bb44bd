import fc from 'fast-check'
import { Keys } from '../../lib/limits/keys'
import { holds } from './support'

const INVISIBLE = [
  '\u200b',
  '\u00ad',
  '\u2060',
  '\u200e',
  '\ufeff',
  '\u0000',
  '\t',
  '\u00a0',
  '\u0301',
  '\ufe0f',
]
const letter = fc.oneof(
  fc.constantFrom(...Array.from('abcdxyz0189@.-_+ßöéﬁſσςİıΐǅ')),
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
)
const username = fc.array(letter, { minLength: 1, maxLength: 12 }).map((letters) => `u${letters.join('')}`)

/** Ways to spell a text that stores, databases and mail servers can take for the same text. */
const spelling = fc.constantFrom<((text: string) => string)[]>(
  (text) => text.toUpperCase(),
  (text) => text.toLowerCase(),
  (text) => text.normalize('NFC'),
  (text) => text.normalize('NFD'),
  (text) => text.normalize('NFKC'),
  (text) => text.normalize('NFKD'),
  (text) => ` ${text} `,
  (text) => text.replace(/[!-~]/g, (ascii) => String.fromCharCode(ascii.charCodeAt(0) + 0xfee0)),
)
const invisible = fc.record({ at: fc.nat(40), mark: fc.constantFrom(...INVISIBLE) })
const pair = fc.tuple(username, fc.array(spelling, { maxLength: 4 }), fc.array(invisible, { maxLength: 3 }))

test('spellings of a username that fold alike share one count, and other usernames do not', async () => {
  const keys = new Keys()
  await holds(pair, 20_000, ([text, spellings, marks]) => {
    const spelled = spellings.reduce((typed, spell) => spell(typed), text)
    const other = marks.reduce((typed, { at, mark }) => {
      const letters = Array.from(typed)
      letters.splice(1 + at, 0, mark)
      return letters.join('')
    }, spelled)
    const key = keys.of('sign-in', text)
    expect(keys.of('sign-in', other)).toBe(key)
    expect(keys.of('sign-in', `${text}x`)).not.toBe(key)
    expect(keys.of('ticket', text)).not.toBe(key)
  })
})
