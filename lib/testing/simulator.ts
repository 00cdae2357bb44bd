import { randomUUID } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Cart } from './carts'
import type { Product } from './catalog'
import { payloadOf, type CodeEvent } from './codes'
import type { RouteHandle, RouteHandler, RouteOptions } from './custom-routes'
import { Deliveries } from './deliveries'
import { Events, type SimulatorEvents } from './events'
import { checkFault, type Fault, type FaultHandle, type FaultOptions } from './faults'
import { Holds, type Hold, type HoldOptions } from './holds'
import { CODE_EVENT, type Delivery, type Integration } from './integrations'
import type { Member } from './members'
import type { Call, HttpMethod, RecordedRequest } from './messages'
import type {
  AccountSeed,
  CartSeed,
  MemberSeed,
  PasswordProfileSeed,
  ProductSeed,
  SimulatorOptions,
  StoreSettings,
  WebhookTarget,
} from './options'
import type { Order } from './orders'
import { Requests } from './requests'
import { Routes } from './routes'
import { Rules } from './rules'
import { Listener } from './listener'
import { serve } from './service'
import { Store, type PasswordProfile } from './store'

const MAILBOX_SIZE = 1000

/**
 * A store of Elastic Path Commerce on this machine: a real HTTP server in this process that answers as Elastic Path does,
 * for account members, one-time codes, settings, integrations, the catalog, carts and orders. Its memory is bounded.
 *
 * Everything in it that waits or expires uses the global timers and `Date`, so that Jest's fake timers control it.
 *
 * @example
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
  private readonly server = createServer()
  private readonly listener: Listener
  private readonly routes = new Routes()
  private readonly faults = new Rules<{ fault: Fault; afterEffect: boolean }>()
  private readonly holds = new Holds()
  private readonly recorded = new Requests()
  private readonly mail: CodeEvent[] = []
  private readonly stopped = new AbortController()
  private readonly events = new Events(this.stopped.signal)
  private readonly outgoing: Deliveries

  private constructor(options: SimulatorOptions) {
    this.store = new Store(options, (event, member) => this.announce(event, member))
    // Any number of promises can wait for the end.
    setMaxListeners(0, this.stopped.signal)
    this.outgoing = new Deliveries(this.store, (delivery) => this.events.emit('delivery', delivery))
    this.deliverTo(options.webhook)
    const parts = {
      store: this.store,
      routes: this.routes,
      requests: this.recorded,
      holds: this.holds,
      faults: this.faults,
      events: this.events,
      origin: () => this.url,
    }
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      serve(parts, request, response).catch((error: unknown) => {
        this.events.report(error)
        response.destroy()
      })
    }
    const { host = '127.0.0.1' } = options
    this.listener = new Listener(this.server, host, answer, (open) => this.events.emit('connections', open))
  }

  /**
   * Starts a simulator.
   *
   * @param options nothing is required
   * @returns the simulator, when it listens
   * @throws TypeError or RangeError for unknown options and impossible values; an `Error` if the port is taken
   */
  static async start(options: SimulatorOptions = {}): Promise<ElasticPathSimulator> {
    const simulator = new ElasticPathSimulator(options)
    await simulator.listener.listen(options.port ?? 0)
    return simulator
  }

  /**
   * Closes every connection and cancels every answer and delivery. Nothing is left running.
   *
   * @returns resolves when the port is free; at once if it was stopped before
   */
  async stop(): Promise<void> {
    this.stopped.abort(new Error('The simulator was stopped'))
    this.outgoing.stop()
    if (this.listener.isListening) await this.listener.close()
  }

  /** Stops the simulator at the end of its scope, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /**
   * Stops listening, closes all connections, and listens on the same port again. The store keeps its state.
   *
   * @param whileDown called while nothing listens
   * @returns resolves when it listens again
   */
  async restart(whileDown: () => void | Promise<void> = () => undefined): Promise<void> {
    await this.listener.restart(whileDown)
  }

  /** The base URL, such as `http://127.0.0.1:43210`. */
  get url(): string {
    return this.listener.url
  }

  /** The client id. */
  get clientId(): string {
    return this.store.clientId
  }

  /** The client secret, for the grant `client_credentials`. */
  get clientSecret(): string {
    return this.store.clientSecret
  }

  /** The id of the authentication realm. */
  get realmId(): string {
    return this.store.realmId
  }

  /**
   * The id of the first password profile that issues codes.
   *
   * @throws Error if there is none
   */
  get passwordProfileId(): string {
    const profile = this.profiles.find(({ oneTimePasswords }) => oneTimePasswords)
    if (profile) return profile.id
    throw new Error('No password profile of the simulator issues codes')
  }

  /** The realm's password profiles. */
  get profiles(): readonly PasswordProfile[] {
    return this.store.profiles.all
  }

  /** All account members. */
  get members(): readonly Member[] {
    return this.store.members.all
  }

  /** All integrations, the one of `webhook` and `deliverTo` included. */
  get integrations(): readonly Integration[] {
    return this.store.integrations.all
  }

  /** The last thousand deliveries to webhooks, the newest last. */
  get deliveries(): readonly Delivery[] {
    return this.store.deliveries.all
  }

  /** The products of the catalog. */
  get products(): readonly Product[] {
    return this.store.catalog.all
  }

  /** All carts that have not expired, the oldest first. */
  get carts(): readonly Cart[] {
    return this.store.carts.all
  }

  /** All orders, the oldest first. */
  get orders(): readonly Order[] {
    return this.store.orders.all
  }

  /**
   * Changes settings while the simulator runs. What exists already, such as a token, keeps its lifetime.
   *
   * @param changes the settings to change
   * @throws TypeError or RangeError for unknown settings and impossible values
   */
  configure(changes: Partial<StoreSettings>): void {
    this.store.configure(changes)
  }

  /**
   * Adds an account member.
   *
   * @returns the member
   * @throws TypeError if the username or the id is taken
   */
  addMember(seed: MemberSeed): Member {
    return this.store.members.add(seed)
  }

  /**
   * Removes an account member. Its tokens and codes are refused from now on.
   *
   * @throws TypeError for an unknown username
   */
  removeMember(username: string): void {
    this.store.members.remove(username)
  }

  /**
   * Replaces a member's accounts. Tokens for accounts that it has left are refused from now on.
   *
   * @param accounts the accounts, or their number
   * @returns the member
   * @throws TypeError for an unknown username
   */
  setAccounts(username: string, accounts: number | readonly AccountSeed[]): Member {
    return this.store.members.setAccounts(username, accounts)
  }

  /**
   * Removes a member from one account. Its tokens for this account cannot act for it any longer. They can still list and
   * renew the member's other accounts.
   *
   * @returns the member
   * @throws TypeError for an unknown username, or if the member does not belong to the account
   */
  removeFromAccount(username: string, accountId: string): Member {
    return this.store.members.removeFromAccount(username, accountId)
  }

  /**
   * Changes a password profile.
   *
   * @param changes what to change; the rest stays as it is
   * @throws TypeError for an unknown id
   */
  updateProfile(id: string, changes: Omit<PasswordProfileSeed, 'id'>): void {
    this.store.updateProfile(id, changes)
  }

  /**
   * Replaces the authentication realm and all its password profiles. The old ids are not found from now on.
   *
   * @param realm the new realm; by default with a new id and one profile that issues codes
   * @throws TypeError for impossible values
   */
  replaceRealm(realm: Pick<SimulatorOptions, 'realmId' | 'passwordProfiles'> = {}): void {
    this.store.replaceRealm(realm)
  }

  /**
   * Issues a valid code without a request, an event or a delivery. It counts as the newest code of the member.
   *
   * @returns the code
   * @throws TypeError for an unknown username
   */
  issueCode(username: string, passwordProfileId = this.passwordProfileId): string {
    return this.store.codes.issue(
      this.store.members.require(username).username,
      passwordProfileId,
      this.store.now(),
    )
  }

  /** Returns the newest code of a username, valid or not. */
  lastCode(username: string): string | undefined {
    return this.store.codes.last(username)
  }

  /** The last thousand codes that were requested over HTTP, the newest last. */
  get mailbox(): readonly CodeEvent[] {
    return this.mail
  }

  /**
   * Calls a listener at each event of a kind.
   *
   * @param event `code`: a code was requested. `request`: a request arrived. `answer`: a response ended. `delivery`: a
   * delivery to a webhook ended. `connections`: a connection was opened or closed. `error`: a handler of `route` threw.
   * @returns a function that removes the listener
   */
  on<Name extends keyof SimulatorEvents>(
    event: Name,
    listener: (value: SimulatorEvents[Name]) => void,
  ): () => void {
    return this.events.on(event, listener)
  }

  /**
   * Waits for the next code that is requested over HTTP.
   *
   * @param username any username by default
   * @returns rejects if the simulator is stopped before
   */
  nextCode(username?: string): Promise<CodeEvent> {
    return this.events.next('code', (event) => username === undefined || event.username === username)
  }

  /**
   * Waits until the next request of a kind has arrived. Unless it is held, it has had its effect by then, and its delays
   * have begun. This does not hold for endpoints of your own.
   *
   * @param call the kind; any by default
   * @returns rejects if the simulator is stopped before
   * @throws TypeError for a name of no endpoint
   */
  nextRequest(call: Call | 'any' = 'any'): Promise<RecordedRequest> {
    return this.events.next('request', this.recorded.matcher(this.routes.keyOf(call)))
  }

  /**
   * Waits until the next response to a request of a kind has ended.
   *
   * @param call the kind; any by default
   * @returns rejects if the simulator is stopped before
   * @throws TypeError for a name of no endpoint
   */
  nextAnswer(call: Call | 'any' = 'any'): Promise<RecordedRequest> {
    return this.events.next('answer', this.recorded.matcher(this.routes.keyOf(call)))
  }

  /**
   * Waits until the next delivery to a webhook has ended, successful or not.
   *
   * @returns rejects if the simulator is stopped before
   */
  nextDelivery(): Promise<Delivery> {
    return this.events.next('delivery', () => true)
  }

  /**
   * Delivers the event of each code to this webhook from now on, or to none. The webhook is an integration, which the API
   * lists as 'One-time passwords'.
   *
   * @throws TypeError if the URL is not HTTP
   */
  deliverTo(target: WebhookTarget | undefined): void {
    this.outgoing.deliverTo(target)
  }

  /**
   * Delivers an event to every enabled integration that observes it.
   *
   * @param event the event's name, such as `account-member.deleted`
   * @param payload the event's payload
   */
  publish(event: string, payload: unknown): void {
    this.outgoing.publish({ id: randomUUID(), name: event, payload })
  }

  /** The last thousand requests, the newest last. */
  get requests(): readonly RecordedRequest[] {
    return this.recorded.all
  }

  /**
   * Returns the number of requests of a kind since the start, or since `clearRequests`.
   *
   * @throws TypeError for a name of no endpoint
   */
  count(call: Call | 'any'): number {
    return this.recorded.count(this.routes.keyOf(call))
  }

  /** Forgets all requests and their numbers. */
  clearRequests(): void {
    this.recorded.clear()
  }

  /**
   * Makes coming requests go wrong: the next one, unless the options say otherwise. Of several faults, the one that was
   * set first applies first.
   *
   * @param call the kind of request, such as `exchange` or `POST /v2/carts/:id/items`
   * @param fault what goes wrong
   * @param options how many requests, from which on, and whether they have their effect
   * @returns a handle that counts and removes it
   * @throws TypeError for a name of no endpoint, an unknown fault or option; RangeError for impossible numbers
   * @example
   * ```ts
   * simulator.fault('exchange', { status: 503 })
   * simulator.fault('any', 'reset', { times: Infinity })
   * simulator.fault('POST /v2/carts/:id/items', 'reset', { afterEffect: true })
   * ```
   */
  fault(call: Call | 'any', fault: Fault, options: FaultOptions = {}): FaultHandle {
    checkFault(fault, options)
    const { afterEffect = false } = options
    return this.faults.add(this.routes.keyOf(call), { fault, afterEffect }, options)
  }

  /** Removes all faults. */
  clearFaults(): void {
    this.faults.clear()
  }

  /**
   * Holds coming requests until they are released: the next one, unless the options say otherwise.
   *
   * @param call the kind of request
   * @param options how many requests, from which on, and whether they have their effect at once
   * @returns a handle that waits for the request and releases it
   * @throws TypeError for a name of no endpoint or an unknown option; RangeError for impossible numbers
   * @example
   * ```ts
   * const held = simulator.hold('exchange')
   * const signIn = fetch(`${shop}/login`, { method: 'POST', body })
   * await held.arrived
   * // the exchange has arrived, and waits
   * held.release()
   * await signIn
   * ```
   */
  hold(call: Call | 'any', options: HoldOptions = {}): Hold {
    return this.holds.add(this.routes.keyOf(call), options, this.stopped.signal)
  }

  /**
   * Adds an endpoint of your own, which precedes those of Elastic Path. Requests need an access token, and an account
   * token has to be valid if there is one.
   *
   * Faults for it are named by method and path. Without `afterEffect`, the handler is not called for a request that goes
   * wrong, and the true answer is taken to be `{ data: {} }` with 200.
   *
   * @param method the HTTP method
   * @param path the path, with parameters such as `:id`
   * @param handler answers the requests. If it throws or rejects, the answer is a 500, and the error is in `errors`
   * @param options whether it needs no token
   * @returns a handle that removes it
   * @throws TypeError for an unknown method or option, or an invalid path
   * @example
   * ```ts
   * simulator.route('GET', '/v2/accounts/:id/addresses', ({ params, account }) =>
   *   account?.id === params.id ? { status: 200, body: { data: [] } } : { status: 404 },
   * )
   * ```
   */
  route(method: HttpMethod, path: string, handler: RouteHandler, options: RouteOptions = {}): RouteHandle {
    return { remove: this.routes.add(method, path, handler, options) }
  }

  /** The last hundred errors that handlers of `route` threw, the newest last. Each was answered with a 500. */
  get errors(): readonly unknown[] {
    return this.events.errors
  }

  /**
   * Adds a product to the catalog.
   *
   * @returns the product
   * @throws TypeError for impossible values or an SKU that is taken
   */
  addProduct(seed: ProductSeed): Product {
    return this.store.catalog.add(seed)
  }

  /**
   * Sets the stock of a product.
   *
   * @param stock the number in stock; undefined if it is not managed
   * @throws TypeError for an unknown product or an impossible number
   */
  setStock(productId: string, stock: number | undefined): void {
    this.store.catalog.setStock(productId, stock)
  }

  /**
   * Adds a cart, such as a saved one, a quote, or one that somebody else planted.
   *
   * @returns the cart
   * @throws TypeError for an unknown SKU or an id that is taken
   */
  addCart(seed: CartSeed): Cart {
    return this.store.carts.add(seed)
  }

  /** Returns the cart with an id, without creating it. */
  cart(id: string): Cart | undefined {
    return this.store.carts.get(id)
  }

  /**
   * Moves the simulator's clock forward. Codes, tokens and carts expire by it. The clock of the process stays as it is.
   *
   * @param seconds 0 or more
   * @throws RangeError for another number
   */
  advance(seconds: number): void {
    this.store.advance(seconds)
  }

  /**
   * Sets how far the simulator's clock is ahead of the machine's, or behind it. The header `Date` of answers follows it.
   *
   * @param seconds ahead; negative: behind
   * @throws RangeError if it is not a finite number
   */
  setClockSkew(seconds: number): void {
    this.store.setSkew(seconds)
  }

  /** Returns the time of the simulator's clock. */
  now(): Date {
    return new Date(this.store.now())
  }

  /** Revokes every access token that was issued. */
  revokeAccessTokens(): void {
    this.store.accessTokens.revokeAll()
  }

  /** Revokes every account token that was issued. */
  revokeAccountTokens(): void {
    this.store.accountTokens.revokeAll()
  }

  /** The number of open connections. */
  get connections(): number {
    return this.listener.connections
  }

  /** Closes all connections at once, idle ones included. */
  dropConnections(): void {
    this.listener.dropConnections()
  }

  /** Sends a 408 that nobody requested on each idle connection and closes it, as load balancers do. */
  expireConnections(): void {
    this.listener.expireConnections()
  }

  private announce(event: CodeEvent, member: Member): void {
    if (this.mail.push(event) > MAILBOX_SIZE) this.mail.shift()
    const payload = payloadOf(event, member, this.realmId)
    this.outgoing.publish({ id: event.eventId, name: CODE_EVENT, payload })
    this.events.emit('code', event)
  }
}
