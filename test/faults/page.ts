import { NETWORKS } from './networks'
import { ROWS, TABLE, type Door, type Result, type RowName, type StruckCall } from './table'

const ABOUT: Record<StruckCall, string> = {
  access_token: 'The access token of the app, `POST /oauth/access_token`. All who need it share one request.',
  account_settings:
    'The settings that name the realm. They are read once, unless `authenticationRealmId` is set.',
  password_profiles:
    'The password profiles of the realm. They are read once, unless `passwordProfileId` is set.',
  otp_request: 'The request for a code. `reported` means that diagnostics have `request_refused`.',
  exchange: 'The exchange of a code for account tokens. The third column applies if the code was used up.',
  renewal: 'The renewal of account tokens.',
}

/** The page docs/faults.md. */
export function renderPage(): string {
  const calls = (Object.keys(TABLE) as StruckCall[]).map(callSection)
  return `# Faults

What your shop responds if Elastic Path fails, or the network to it. This page is generated from the
table that \`npm run test:faults\` runs. [Errors](errors.md) says what each code means and what to do.

In every row:

- Each request has one outcome, within the option \`timeout\`. After the fault, the next request works.
- An outage never looks like a wrong code, and a wrong code never like an outage.
- A code is sent again only if Elastic Path cannot have acted on it.
- If a switch or a renewal fails, the session does not change.
- \`keepFresh\` has no errors. If a row does not say "works", the page continues with the token that the
  shopper has.
- No code, token, secret or username is in an error or in diagnostics.
- No timer, listener or connection is left after \`close()\`.

\`requestOtp\` responds after one second (option \`uniformResponseTime\`). Errors that come later are only in
diagnostics.

## The faults

${list(Object.entries(ROWS).map(([name, row]) => ('details' in row ? `${name}: ${row.details}` : name)))}

${calls.join('\n')}
## The network

${networkTable()}
`
}

function callSection(call: StruckCall): string {
  const { doors, rows } = TABLE[call]
  const hasCodes = call === 'exchange'
  const head = [
    'Elastic Path …',
    'each time',
    'once',
    ...(hasCodes ? ['once, code used up'] : []),
    'requests',
  ]
  const body = (Object.keys(rows) as RowName[]).map((name) => {
    const [always, once, requests, codeUsed] = rows[name]
    const results = [always, once, ...(codeUsed ? [codeUsed] : [])]
    return [name, ...results.map(shown), String(requests)]
  })
  return `## \`${call}\`

${ABOUT[call]}

Made by ${doors.map(doorName).join(', ')}. "Requests" is the most that one of them sends.

${table(head, body)}
`
}

function networkTable(): string {
  return table(
    ['There is …', 'result', 'the message says'],
    NETWORKS.map(({ name, result, says }) => [name, shown(result), says]),
  )
}

function doorName(door: Door): string {
  return door === 'sign-in' ? 'a sign-in' : `\`${door}\``
}

function shown(result: Result): string {
  return result.replace(/^(\d+) (\w+)$/, '$1 `$2`')
}

function list(items: string[]): string {
  return items.map((item) => `- Elastic Path ${item}.`).join('\n')
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
