import type { CodeEvent, Member, RecordedRequest } from '../../testing'
import { html, type Html } from './html'

/** What the page shows. */
export interface PageState {
  readonly url: string
  readonly clientId: string
  readonly members: readonly Member[]
  /** The newest first. */
  readonly codes: readonly CodeEvent[]
  /** The newest first. */
  readonly requests: readonly RecordedRequest[]
  readonly faults: readonly { readonly spec: string; readonly hits: number; readonly times: number }[]
}

/** What the buttons send. */
export const BUTTONS = [
  ['exchange=503', 'Sign-in: 503'],
  ['exchange=hang', 'Sign-in: no answer'],
  ['exchange=rate_limited:5', 'Sign-in: 429'],
  ['otp_request=503', 'Code request: 503'],
  ['access_token=503', 'Access token: 503'],
  ['renewal=503', 'Renewal: 503'],
] as const

export const ACTIONS = [
  ['expire-access-tokens', 'Expire access tokens'],
  ['expire-account-tokens', 'Expire account tokens'],
  ['drop-connections', 'Drop connections'],
  ['clear-faults', 'Clear faults'],
] as const

export function renderPage({ url, clientId, members, codes, requests, faults }: PageState): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Elastic Path simulator</title>
        <link rel="icon" href="data:," />
        <link rel="stylesheet" href="/simulator/style.css" />
        <script src="/simulator/app.js" defer></script>
      </head>
      <body>
        <header>
          <h1>Elastic Path simulator</h1>
          <p>Base URL <code>${url}</code> · Client id <code>${clientId}</code></p>
        </header>
        <main>
          <section id="codes" data-live aria-live="polite">
            <h2>Codes</h2>
            ${codes.length === 0 ? html`<p class="none">No code was requested yet.</p>` : list(codes.map(codeRow))}
          </section>
          <section id="members" data-live>
            <h2>Members</h2>
            ${members.length === 0 ? html`<p class="none">There are no members, so nobody can sign in.</p>` : list(members.map(memberRow))}
          </section>
          <section id="faults">
            <h2>Faults</h2>
            <p>A fault applies to the next request of its kind.</p>
            <form method="post" action="/simulator/actions">${buttons('fault', BUTTONS)}</form>
            <form method="post" action="/simulator/actions">${buttons('action', ACTIONS)}</form>
          </section>
          <section id="active" data-live>
            <h2>Active faults</h2>
            ${faults.length === 0 ? html`<p class="none">None.</p>` : list(faults.map(faultRow))}
          </section>
          <section id="requests" data-live>
            <h2>Requests</h2>
            ${requests.length === 0 ? html`<p class="none">No request yet.</p>` : list(requests.map(requestRow))}
          </section>
        </main>
      </body>
    </html> `.text
}

function list(rows: readonly Html[]): Html {
  return html`<ul>
    ${rows}
  </ul>`
}

function codeRow({ otp, username, createdAt }: CodeEvent): Html {
  return html`<li>
    <code class="otp">${otp}</code> <button type="button" data-copy="${otp}">Copy</button>
    <span class="grow">${username}</span> <time datetime="${createdAt}">${createdAt.slice(11, 19)}</time>
  </li>`
}

function memberRow({ username, accounts: { total } }: Member): Html {
  return html`<li><span class="grow">${username}</span> <span>${counted(total, 'account')}</span></li>`
}

function faultRow({ spec, hits, times }: PageState['faults'][number]): Html {
  const applied = times === Infinity ? counted(hits, 'request') : `${hits} of ${counted(times, 'request')}`
  return html`<li><code class="grow">${spec}</code> <span>applied to ${applied}</span></li>`
}

function requestRow({ method, path, status }: RecordedRequest): Html {
  const kind = status === undefined || status >= 500 ? 'bad' : status >= 400 ? 'refused' : 'good'
  return html`<li>
    <b class="${kind}">${status ?? '–'}</b> <span>${method}</span> <code class="grow">${shorten(path)}</code>
  </li>`
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** Ids are shortened, so that a path is a line. */
function shorten(path: string): string {
  return path.replace(/([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f-]{22}/gi, '$1…')
}

function buttons(name: string, entries: readonly (readonly [string, string])[]): Html {
  return html`${entries.map(([value, text]) => html`<button name="${name}" value="${value}">${text}</button> `)}`
}

/** Shows what is new every two seconds while the page is visible, and copies codes. The page works without it. */
export const SCRIPT = `'use strict'
document.addEventListener('click', async (event) => {
  const button = event.target.closest('[data-copy]')
  if (!button) return
  try {
    await navigator.clipboard.writeText(button.dataset.copy)
    button.textContent = 'Copied'
  } catch {
    const code = button.parentElement.querySelector('code')
    getSelection().selectAllChildren(code)
    button.textContent = 'Selected'
  }
})
async function refresh() {
  if (document.hidden) return
  try {
    const response = await fetch('/', { signal: AbortSignal.timeout(5000) })
    const fresh = new DOMParser().parseFromString(await response.text(), 'text/html')
    for (const section of document.querySelectorAll('[data-live]')) {
      const next = fresh.getElementById(section.id)
      if (next && shown.get(section.id) !== next.innerHTML) {
        shown.set(section.id, next.innerHTML)
        section.replaceChildren(...next.childNodes)
      }
    }
    document.body.classList.remove('stopped')
  } catch {
    document.body.classList.add('stopped')
  }
}
const shown = new Map([...document.querySelectorAll('[data-live]')].map((section) => [section.id, section.innerHTML]))
setInterval(refresh, 2000)
document.addEventListener('visibilitychange', refresh)
`

export const STYLE = `:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; --line: #8884; --soft: #8881 }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 72rem; padding: 1rem }
h1 { font-size: 1.4rem; margin: 0 }
h2 { font-size: 1rem; margin: 0 0 .5rem }
p { margin: 0 0 .5rem }
header { margin-bottom: 1rem; overflow-wrap: anywhere }
main { display: grid; gap: 1rem; grid-template-columns: minmax(0, 1fr) }
section { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem }
ul { list-style: none; margin: 0; padding: 0; max-height: 24rem; overflow-y: auto }
li { align-items: center; border-top: 1px solid var(--line); display: flex; flex-wrap: wrap; gap: .25rem .75rem; padding: .4rem 0 }
li:first-child { border-top: 0 }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere }
.otp { font-size: 1.25rem; font-weight: 600; letter-spacing: .1em }
.grow { flex: 1 1 10rem; min-width: 0; overflow-wrap: anywhere }
.none, time { opacity: .75 }
form { display: grid; gap: .5rem; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); margin-top: .5rem }
button { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem; color: inherit; cursor: pointer; font: inherit; \
min-height: 2.75rem; padding: .25rem .6rem }
button:hover { background: var(--line) }
button:focus-visible { outline: 3px solid #38f; outline-offset: 2px }
b.good { color: light-dark(#0a6b2c, #6fdc8c) }
b.refused { color: light-dark(#8a5300, #ffb84d) }
b.bad { color: light-dark(#b3121d, #ff8389) }
.stopped main { opacity: .4 }
.stopped header::after { content: 'The simulator has stopped.'; color: light-dark(#b3121d, #ff8389) }
@media (min-width: 60rem) { main { grid-template-columns: repeat(2, minmax(0, 1fr)) } #requests { grid-column: 1 / -1 } }
`
