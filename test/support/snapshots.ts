import { stripVTControlCharacters } from 'node:util'

/** What differs from run to run. */
const CHANCE = {
  port: /(?<=127\.0\.0\.1:|localhost:|[Pp]ort )[1-9]\d+/,
  uuid: /\b(?!(?<digit>\d)\k<digit>{7})[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/,
  secret: /\b[0-9a-f]{64}\b/,
  time: /\d{4}-\d\d-\d\dT[\d:.]+Z/,
  skew: /\d+(?= seconds (?:ahead|behind))/,
  token: /(?<="(?:access_)?token":")[\w.~-]{40,}/,
  seconds: /(?<="expires":)\d{10}\b/,
  code: /(?<=^code \S+ +|"code":")[0-9a-z]{6}\b|\b[0-9A-Z]{3}-[0-9A-Z]{3}\b/,
}
const ANY_CHANCE = new RegExp(
  Object.entries(CHANCE)
    .map(([name, { source }]) => `(?<${name}>${source})`)
    .join('|'),
  'gm',
)

/** Replaces what differs from run to run by its kind. Ids such as `11111111-…`, which a test has chosen, stay. */
export function withoutChance(text: string): string {
  // Each object of JSON gets a line, so that a difference can be read.
  const lines = stripVTControlCharacters(text).replaceAll('},{', '},\n{')
  return lines.replace(ANY_CHANCE, (...match) => {
    const groups = match.at(-1) as Record<keyof typeof CHANCE, string | undefined>
    const [kind] = Object.entries(groups).find(([, found]) => found !== undefined) ?? []
    return `<${kind}>`
  })
}
