import { isIP } from 'node:net'
import type { ElasticPathSimulator, FaultHandle, RouteAnswer, RouteRequest } from '../../testing'
import { at } from '../json'
import { readFault, type FaultSpec } from './faults'
import { ACTIONS, BUTTONS, renderPage, SCRIPT, STYLE } from './page'

const SHOWN = 30
const MOST_FAULTS = 50

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; form-action 'self'; " +
    "base-uri 'none'; frame-ancestors 'none'",
  'cross-origin-resource-policy': 'same-origin',
  // With no-referrer, browsers send `Origin: null` with the page's own forms.
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** Whether a path belongs to the page for people, and not to the simulated API. */
export function isPagePath(path: string): boolean {
  return path === '/' || path.startsWith('/simulator/')
}

/** The page at `/`: members, codes, requests, and buttons for faults. */
export class Site {
  private faults: { spec: string; times: number; handle: FaultHandle }[] = []

  constructor(private readonly simulator: ElasticPathSimulator) {
    const serve = (method: 'GET' | 'POST', path: string, answer: (request: RouteRequest) => RouteAnswer) =>
      simulator.route(method, path, (request) => refusal(request) ?? answer(request), { open: true })
    serve('GET', '/', () => file('text/html', this.page()))
    serve('GET', '/simulator/style.css', () => file('text/css', STYLE))
    serve('GET', '/simulator/app.js', () => file('text/javascript', SCRIPT))
    serve('POST', '/simulator/actions', ({ body }) => this.act(body))
  }

  addFault(text: string, { call, fault, times }: FaultSpec): void {
    this.faults.push({ spec: text, times, handle: this.simulator.fault(call, fault, { times }) })
  }

  private page(): string {
    const { url, clientId, members, mailbox, requests } = this.simulator
    this.faults = this.faults.filter(({ handle, times }) => handle.hits < times)
    return renderPage({
      url,
      clientId,
      members: members.slice(0, SHOWN),
      codes: mailbox.slice(-SHOWN).reverse(),
      requests: requests
        .filter(({ path }) => !isPagePath(path))
        .slice(-SHOWN)
        .reverse(),
      faults: this.faults.map(({ spec, times, handle }) => ({ spec, times, hits: handle.hits })),
    })
  }

  private act(body: unknown): RouteAnswer {
    const fault = at(body, 'fault')
    const action = at(body, 'action')
    const known = BUTTONS.find(([spec]) => spec === fault)?.[0]
    if (known !== undefined && this.faults.length < MOST_FAULTS) this.addFault(known, readFault(known))
    const name = ACTIONS.find(([value]) => value === action)?.[0]
    if (name !== undefined) this.actions[name]()
    return { status: 303, headers: { ...HEADERS, location: '/' } }
  }

  private readonly actions: Record<(typeof ACTIONS)[number][0], () => void> = {
    'expire-access-tokens': () => this.simulator.revokeAccessTokens(),
    'expire-account-tokens': () => this.simulator.revokeAccountTokens(),
    // After the answer to the button has left.
    'drop-connections': () => setImmediate(() => this.simulator.dropConnections()).unref(),
    'clear-faults': () => {
      this.simulator.clearFaults()
      this.faults = []
    },
  }
}

function file(type: string, body: string): RouteAnswer {
  return { status: 200, body, headers: { ...HEADERS, 'content-type': `${type}; charset=utf-8` } }
}

/**
 * Other websites must not read the codes or press the buttons. With DNS rebinding, a hostile site's own name leads to this
 * machine, so names that somebody can register are refused. Buttons are only for forms of the page itself.
 */
function refusal({ headers }: RouteRequest): RouteAnswer | undefined {
  const { host = '', origin } = headers
  const answer = (body: string) => ({
    status: 403,
    body,
    headers: { ...HEADERS, 'content-type': 'text/plain' },
  })
  if (!isLocalName(host)) return answer('Open this page as http://localhost or by its IP address.\n')
  if (origin !== undefined && origin !== `http://${host}`)
    return answer('This request comes from another site.\n')
  return undefined
}

/** An IP address, localhost, or a name without a dot such as a container's: none of them can be registered. */
export function isLocalName(host: string): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase()
  return (
    isIP(name.replace(/^\[|\]$/g, '')) > 0 ||
    /^([a-z0-9_-]+|.+\.localhost|host\.docker\.internal)$/.test(name)
  )
}
