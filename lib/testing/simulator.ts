import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { CodeEvent } from './codes'
import { Faults, type Fault, type FaultHandle, type FaultOptions } from './faults'
import type { Member } from './members'
import type { AccountSeed, MemberSeed, SimulatorOptions } from './options'
import { readBody, Requests, type Call, type RecordedRequest } from './requests'
import { destinationOf } from './routes'
import { Store, type Answer } from './store'
import { strike } from './strike'
import { Webhook, type WebhookTarget } from './webhook'
import { send } from './wire'

const MAILBOX_SIZE = 1000

/**
 * A store of Elastic Path Commerce on this machine, as far as signing members in with one-time codes goes: a real HTTP
 * server on 127.0.0.1, in this process, that answers as Elastic Path does. Its memory is bounded however long it runs.
 *
 * ```ts
 * const simulator = await ElasticPathSimulator.start({ members: [{ username: 'ada@example.com' }] })
 * const strategy = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: simulator.url })
 * const otp = simulator.issueCode('ada@example.com')
 * // sign in with it, and at the end:
 * await simulator.stop()
 * ```
 */
export class ElasticPathSimulator {
  private readonly store: Store
  private readonly faults = new Faults()
  private readonly recorded = new Requests()
  private readonly mail: CodeEvent[] = []
  private readonly listeners = new Set<(event: CodeEvent) => void>()
  private readonly stopped = new AbortController()
  private webhook: Webhook | undefined
  private origin = ''

  private constructor(
    options: SimulatorOptions,
    private readonly server: Server,
  ) {
    this.store = new Store(options, (event, member) => this.announce(event, member))
    this.deliverTo(options.webhook)
    // As long as a load balancer keeps a connection, rather than Node's five seconds.
    server.keepAliveTimeout = 65_000
    server.on('request', (request, response) => void this.serve(request, response))
  }

  /**
   * Starts a store. Rejects where the port is taken, and with a `TypeError` or `RangeError` where no store can be as the
   * options say.
   */
  static async start(options: SimulatorOptions = {}): Promise<ElasticPathSimulator> {
    const server = createServer()
    const simulator = new ElasticPathSimulator(options, server)
    server.listen(options.port ?? 0, '127.0.0.1')
    await once(server, 'listening')
    const address = server.address()
    if (address === null || typeof address === 'string') throw new Error('The simulator has no port')
    simulator.origin = `http://127.0.0.1:${address.port}`
    return simulator
  }

  /** Ends every connection, every answer that hangs and every delivery. Nothing is left running. */
  async stop(): Promise<void> {
    if (!this.server.listening) return
    this.stopped.abort(new Error('The simulator was stopped'))
    this.webhook?.stop()
    const closed = once(this.server, 'close')
    this.server.close()
    this.server.closeAllConnections()
    await closed
  }

  /** As `stop`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /** The base URL, such as `http://127.0.0.1:43210`. */
  get url(): string {
    return this.origin
  }

  /** The client id that access tokens are given to. */
  get clientId(): string {
    return this.store.clientId
  }

  /** The secret that `client_credentials` asks for. */
  get clientSecret(): string {
    return this.store.clientSecret
  }

  /** The account authentication realm's id. */
  get realmId(): string {
    return this.store.realmId
  }

  /** The id of the first password profile that issues codes. Throws an `Error` where there is none. */
  get passwordProfileId(): string {
    const profile = this.store.profiles.find(({ oneTimePasswords }) => oneTimePasswords)
    if (profile) return profile.id
    throw new Error('No password profile of the simulator issues codes')
  }

  /**
   * Adds a member.
   *
   * @throws TypeError where the username or the id is taken.
   */
  addMember(seed: MemberSeed): Member {
    return this.store.members.add(seed)
  }

  /** Puts a member into other accounts, or out of all. Tokens for accounts that it has left are refused. */
  setAccounts(username: string, accounts: number | readonly AccountSeed[]): Member {
    return this.store.members.setAccounts(username, accounts)
  }

  /** A new valid code, as if it had been asked for, but without a request, an event or mail. Kills the older one. */
  issueCode(username: string, passwordProfileId = this.passwordProfileId): string {
    return this.store.codes.issue(
      this.store.members.require(username).username,
      passwordProfileId,
      this.store.now(),
    )
  }

  /** The newest code for signing in that was made for a username, whether it is still good or not. */
  lastCode(username: string): string | undefined {
    return this.store.codes.last(username)
  }

  /** The last thousand codes that were asked for by HTTP, the newest last. */
  get mailbox(): readonly CodeEvent[] {
    return this.mail
  }

  /** Calls a listener with each code that is asked for. Returns what ends it. */
  on(_event: 'code', listener: (event: CodeEvent) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  /** The next code that is asked for, for this username or for any. Rejects when the simulator is stopped before. */
  nextCode(username?: string): Promise<CodeEvent> {
    const { signal } = this.stopped
    const code = new Promise<CodeEvent>((resolve, reject) => {
      const fail = () => reject(signal.reason as Error)
      const off = this.on('code', (event) => {
        if (username !== undefined && event.username !== username) return
        off()
        signal.removeEventListener('abort', fail)
        resolve(event)
      })
      if (signal.aborted) fail()
      signal.addEventListener('abort', fail)
    })
    // One that nobody waits for any more is nobody's error.
    code.catch(() => undefined)
    return code
  }

  /** Delivers events to this webhook from now on, or to none: for an app that is started after its store. */
  deliverTo(target: WebhookTarget | undefined): void {
    this.webhook?.stop()
    this.webhook = target && new Webhook(target, this.store.realmId)
  }

  /** The last thousand requests, the newest last. */
  get requests(): readonly RecordedRequest[] {
    return this.recorded.all
  }

  /** How many requests of a kind there were since the start, or since `clearRequests`. */
  count(call: Call): number {
    return this.recorded.count(call)
  }

  /** Forgets the requests so far, and starts counting anew. */
  clearRequests(): void {
    this.recorded.clear()
  }

  /**
   * Makes coming requests go wrong: the next one, unless the options say otherwise. Of several faults, the one that
   * was set first strikes first.
   *
   * @example
   * ```ts
   * simulator.fault('exchange', { status: 503 })
   * simulator.fault('any', 'reset', { times: Infinity })
   * ```
   */
  fault(call: Call | 'any', fault: Fault, options: FaultOptions = {}): FaultHandle {
    return this.faults.add(call, fault, options)
  }

  /** Takes all faults away. */
  clearFaults(): void {
    this.faults.clear()
  }

  /**
   * Moves the simulator's clock forward, by seconds: codes, account tokens and access tokens end by it. The clock of
   * the process stays as it is.
   */
  advance(seconds: number): void {
    this.store.advance(seconds)
  }

  /** The time by the simulator's clock. */
  now(): Date {
    return new Date(this.store.now())
  }

  /** Makes every access token that was given out one that is refused. */
  revokeAccessTokens(): void {
    this.store.accessTokens.revokeAll()
  }

  /** Makes every account token that was given out one that is refused. */
  revokeAccountTokens(): void {
    this.store.accountTokens.revokeAll()
  }

  /** Ends all connections at once, those that are kept alive between requests included. */
  dropConnections(): void {
    this.server.closeAllConnections()
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    if (!body) return
    const { method = '', url = '', headers } = request
    const [path = '', search = ''] = url.split('?', 2)
    const query = new URLSearchParams(search)
    const destination = destinationOf(method, path, body)
    const record = this.recorded.add(destination.call, request, path, query, body)
    const answer = (acts: boolean) =>
      destination.answer(this.store, { origin: this.origin, path, query, headers, body, acts })
    let acted: Answer | undefined
    const act = () => {
      acted ??= answer(true)
      record.status = acted.status
      return acted
    }
    const struck = this.faults.next(destination.call)
    if (!struck) {
      send(response, act())
      return
    }
    if (struck.afterEffect) acted = answer(true)
    strike(struck.fault, this.store, response, () => acted ?? answer(false), act)
    if (response.headersSent) record.status = response.statusCode
  }

  private announce(event: CodeEvent, member: Member): void {
    if (this.mail.push(event) > MAILBOX_SIZE) this.mail.shift()
    this.webhook?.deliver(event, member.id)
    for (const listener of this.listeners) queueMicrotask(() => listener(event))
  }
}
