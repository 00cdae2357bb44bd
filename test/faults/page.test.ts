import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { NETWORKS } from './networks'
import { EVERY_CALL, ROWS, TABLE, type Cells, type Result } from './table'

const PAGE = join(__dirname, '../../docs/faults.md')

test('docs/faults.md is what the table says: npm run docs:faults writes it', () => {
  if (process.env['WRITE_DOCS'] === 'true') writeFileSync(PAGE, renderPage())
  expect(readFileSync(PAGE, 'utf8')).toBe(renderPage())
})

function renderPage(): string {
  const details = Object.entries(ROWS)
    .flatMap(([name, row]) => ('details' in row ? [`- ${name}: ${row.details}`] : []))
    .join('\n')
  return `# Faults

What your shop responds if Elastic Path fails, or the network to it. This page is generated from the
table that \`npm run test:faults\` runs. [Errors](errors.md) says what each code means and what to do.

In every row:

- Each request has one outcome, within the option \`timeout\`. After the fault, the next request works.
- An outage never looks like a wrong code, and a wrong code never like an outage.
- A code is sent again only if Elastic Path has probably not received it. If it then refuses the code, that
  is an outage and not a wrong code.
- If a switch or a renewal fails, the session does not change.
- \`keepFresh\` has no errors. If a row does not say "works", the page continues with the token that the
  shopper has.
- No code, token, secret or username is in an error or in diagnostics.
- No timer, listener or connection is left after \`close()\`.

\`requestOtp\` responds after one second (option \`uniformResponseTime\`). Errors that come later are only in
diagnostics.

## Every call

These rows hold at every call, unless the call has its own row below. "Each time" is the result if the
fault does not end, "once" if it happens to one request. "Requests" is the most that are sent for one result.

${callTable(EVERY_CALL)}

In detail:

${details}

## By call

${Object.entries(TABLE).map(callSection).join('\n')}
## The network

${networkTable()}
`
}

function callSection([call, { about, doors, own, codeUsed }]: [string, (typeof TABLE)['exchange']]): string {
  const makers = doors.map((door) => (door === 'sign-in' ? 'a sign-in' : `\`${door}\``)).join(', ')
  return `### ${call}

${about}
Made by ${makers}.

${callTable(own)}
${codeUsed ? `\nIf the fault happens once, but after the code was used up:\n\n${usedTable(codeUsed)}\n` : ''}`
}

function callTable(rows: Partial<Record<string, Cells>>): string {
  const body = Object.entries(rows).flatMap(([name, cells]) =>
    cells ? [[name, shown(cells[0]), shown(cells[1]), String(cells[2])]] : [],
  )
  return table(['Elastic Path …', 'each time', 'once', 'requests'], body)
}

function usedTable(rows: Partial<Record<string, Result>>): string {
  const body = Object.entries(rows).map(([name, result]) => [name, shown(result ?? 'works')])
  return table(['Elastic Path …', 'result'], body)
}

function networkTable(): string {
  return table(
    ['There is …', 'result', 'the message says'],
    NETWORKS.map(([name, result, says]) => [name, shown(result), says]),
  )
}

function shown(result: Result): string {
  return result.replace(/^(\d+) (\w+)$/, '$1 `$2`')
}

function table(head: string[], rows: string[][]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]?.length ?? 0)))
  const line = (cells: string[]): string =>
    `| ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}
