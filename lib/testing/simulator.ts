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
 * Simulates an Elastic Path Commerce store: an HTTP server in this process that responds as Elastic Path does. It
 * implements account members, one-time codes, settings, integrations, the catalog, carts and orders. Its memory is
 * bounded.
 *
 * All delays and lifetimes use the global timers and `Date`, so Jest's fake timers control them.
 *
 * @example
 * ```ts
 * const simulator = await ElasticPathSimulator.start({ members: [{ username: 'ada@example.com' }] })
 * const strategy = new PasswordlessOtpStrategy({ clientId: simulator.clientId, baseUrl: simulator.url })
 * const otp = simulator.issueCode('ada@example.com')
 * // sign in with the code, and at the end of the test:
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
    // Each pending promise listens to this signal, so Node's warning about many listeners does not apply.
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
   * @param options all are optional
   * @returns resolves with the simulator when it listens; rejects with an `Error` if the port is in use
   * @throws TypeError or RangeError if an option is unknown or a value is invalid
   */
  static async start(options: SimulatorOptions = {}): Promise<ElasticPathSimulator> {
    const simulator = new ElasticPathSimulator(options)
    await simulator.listener.listen(options.port ?? 0)
    return simulator
  }

  /**
   * Stops the simulator. Closes every connection, cancels every response and delivery, and leaves nothing running.
   *
   * @returns resolves when the port is free; resolves immediately if the simulator was already stopped
   */
  async stop(): Promise<void> {
    this.stopped.abort(new Error('The simulator was stopped'))
    this.outgoing.stop()
    await this.listener.close()
  }

  /** Stops the simulator at the end of a scope that declares it with `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  /**
   * Stops listening, closes all connections, and listens on the same port again. The store keeps its state.
   *
   * @param whileDown called while the port is closed
   * @returns resolves when the simulator listens again; rejects with an `Error` if it was stopped in the meantime
   */
  async restart(whileDown: () => void | Promise<void> = () => undefined): Promise<void> {
    await this.listener.restart(whileDown, this.stopped.signal)
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
   * @throws Error if no password profile issues codes
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

  /** All integrations, including the one for `webhook` and `deliverTo`. */
  get integrations(): readonly Integration[] {
    return this.store.integrations.all
  }

  /** The last 1,000 deliveries to webhooks, oldest first. */
  get deliveries(): readonly Delivery[] {
    return this.store.deliveries.all
  }

  /** The products of the catalog. */
  get products(): readonly Product[] {
    return this.store.catalog.all
  }

  /** All carts that have not expired, oldest first. */
  get carts(): readonly Cart[] {
    return this.store.carts.all
  }

  /** All orders, oldest first. */
  get orders(): readonly Order[] {
    return this.store.orders.all
  }

  /**
   * Changes settings while the simulator runs. Existing tokens, codes and carts keep their lifetimes.
   *
   * @param changes the settings to change
   * @throws TypeError or RangeError if a setting is unknown or a value is invalid
   */
  configure(changes: Partial<StoreSettings>): void {
    this.store.configure(changes)
  }

  /**
   * Adds an account member.
   *
   * @returns the member
   * @throws TypeError if the username or the id is already in use
   */
  addMember(seed: MemberSeed): Member {
    return this.store.members.add(seed)
  }

  /**
   * Removes an account member. The member's tokens and codes become invalid.
   *
   * @throws TypeError if the username is unknown
   */
  removeMember(username: string): void {
    this.store.members.remove(username)
  }

  /**
   * Replaces a member's accounts. Tokens for accounts that the member has left become invalid.
   *
   * @param accounts the accounts, or the number of accounts to generate
   * @returns the member
   * @throws TypeError if the username is unknown
   */
  setAccounts(username: string, accounts: number | readonly AccountSeed[]): Member {
    return this.store.members.setAccounts(username, accounts)
  }

  /**
   * Removes a member from one account. The member's tokens for this account no longer give access to it, but they can
   * still list and renew the member's other accounts.
   *
   * @returns the member
   * @throws TypeError if the username is unknown or the member does not belong to the account
   */
  removeFromAccount(username: string, accountId: string): Member {
    return this.store.members.removeFromAccount(username, accountId)
  }

  /**
   * Changes a password profile.
   *
   * @param changes the properties to change
   * @throws TypeError if the id or a property is unknown, or a value is invalid
   */
  updateProfile(id: string, changes: Omit<PasswordProfileSeed, 'id'>): void {
    this.store.updateProfile(id, changes)
  }

  /**
   * Replaces the authentication realm and all its password profiles. Requests with the old ids get a 404.
   *
   * @param realm the new realm; by default, it has a new id and one profile that issues codes
   * @throws TypeError if an option is unknown or a value is invalid
   */
  replaceRealm(realm: Pick<SimulatorOptions, 'realmId' | 'passwordProfiles'> = {}): void {
    this.store.replaceRealm(realm)
  }

  /**
   * Issues a valid code without a request, an event or a delivery. The code becomes the member's newest code.
   *
   * @returns the code
   * @throws TypeError if the username is unknown
   */
  issueCode(username: string, passwordProfileId = this.passwordProfileId): string {
    return this.store.codes.issue(
      this.store.members.require(username).username,
      passwordProfileId,
      this.store.now(),
    )
  }

  /** Returns the newest code of a username, even if it is no longer valid. Undefined if there is none. */
  lastCode(username: string): string | undefined {
    return this.store.codes.last(username)
  }

  /** The last 1,000 codes that were requested over HTTP, oldest first. */
  get mailbox(): readonly CodeEvent[] {
    return this.mail
  }

  /**
   * Adds a listener for an event.
   *
   * @param event `code`: a code was requested. `request`: a request arrived. `answer`: a response ended. `delivery`: a
   * delivery to a webhook succeeded or failed. `connections`: a connection was opened or closed. `error`: a handler of
   * `route` threw.
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
   * @param username the username of the code; any by default
   * @returns resolves with the code's event; rejects if the simulator is stopped first
   */
  nextCode(username?: string): Promise<CodeEvent> {
    return this.events.next('code', (event) => username === undefined || event.username === username)
  }

  /**
   * Waits for the next request of a kind. When the promise resolves, the request has had its effect and its delays have
   * started. This does not apply to held requests and custom endpoints.
   *
   * @param call the kind of request; any by default
   * @returns resolves with the request; rejects if the simulator is stopped first
   * @throws TypeError if no endpoint has the name
   */
  nextRequest(call: Call | 'any' = 'any'): Promise<RecordedRequest> {
    return this.events.next('request', this.recorded.matcher(this.routes.keyOf(call)))
  }

  /**
   * Waits until the next response to a request of a kind has ended.
   *
   * @param call the kind of request; any by default
   * @returns resolves with the request; rejects if the simulator is stopped first
   * @throws TypeError if no endpoint has the name
   */
  nextAnswer(call: Call | 'any' = 'any'): Promise<RecordedRequest> {
    return this.events.next('answer', this.recorded.matcher(this.routes.keyOf(call)))
  }

  /**
   * Waits until the next delivery to a webhook has succeeded or failed.
   *
   * @returns resolves with the delivery; rejects if the simulator is stopped first
   */
  nextDelivery(): Promise<Delivery> {
    return this.events.next('delivery', () => true)
  }

  /**
   * Sets the webhook that receives the event of each code. It replaces the option `webhook`. The API lists it as an
   * integration with the name 'One-time passwords'.
   *
   * @param target the webhook; undefined stops deliveries
   * @throws TypeError if an option is unknown, the URL is not HTTP, or the secret is not a valid header value
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

  /** The last 1,000 requests, oldest first. */
  get requests(): readonly RecordedRequest[] {
    return this.recorded.all
  }

  /**
   * Returns the number of requests of a kind since the start or the last call of `clearRequests`.
   *
   * @throws TypeError if no endpoint has the name
   */
  count(call: Call | 'any'): number {
    return this.recorded.count(this.routes.keyOf(call))
  }

  /** Clears the recorded requests and resets all counts to 0. */
  clearRequests(): void {
    this.recorded.clear()
  }

  /**
   * Makes future requests fail. By default, the fault applies to the next request of the kind. If several faults match,
   * the oldest applies.
   *
   * @param call the kind of request, such as `exchange` or `POST /v2/carts/:id/items`
   * @param fault the failure
   * @param options how many requests fail, how many to skip first, and whether they have their effect
   * @returns a handle that counts the failed requests and removes the fault
   * @throws TypeError if no endpoint has the name, or the fault or an option is unknown; RangeError if a number is out
   * of range
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
   * Holds future requests until they are released. By default, it holds the next request of the kind.
   *
   * @param call the kind of request
   * @param options how many requests to hold, how many to skip first, and whether they have their effect on arrival
   * @returns a handle that waits for the first request and releases all held requests
   * @throws TypeError if no endpoint has the name or an option is unknown; RangeError if a number is out of range
   * @example
   * ```ts
   * const held = simulator.hold('exchange')
   * const signIn = fetch(`${shop}/login`, { method: 'POST', body })
   * await held.arrived
   * // the exchange has arrived and waits for its response
   * held.release()
   * await signIn
   * ```
   */
  hold(call: Call | 'any', options: HoldOptions = {}): Hold {
    return this.holds.add(this.routes.keyOf(call), options, this.stopped.signal)
  }

  /**
   * Adds a custom endpoint. It takes precedence over the endpoints of Elastic Path. Requests must have a valid access
   * token. If a request has an account token, the account token must be valid, too.
   *
   * Use the method and path to set faults for the endpoint. If a fault without `afterEffect` applies, the handler is
   * not called, and the regular response is assumed to be 200 with `{ data: {} }`.
   *
   * @param method the HTTP method
   * @param path the path, with parameters such as `:id`
   * @param handler handles the requests. If it throws or rejects, the response is a 500, and `errors` has the error
   * @param options whether requests without an access token are allowed
   * @returns a handle that removes the endpoint
   * @throws TypeError if the method or an option is unknown, or the path is invalid
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

  /** The last 100 errors that handlers of `route` threw, oldest first. The response to each request was a 500. */
  get errors(): readonly unknown[] {
    return this.events.errors
  }

  /**
   * Adds a product to the catalog.
   *
   * @returns the product
   * @throws TypeError if an option is unknown, a value is invalid, or the id or SKU is already in use
   */
  addProduct(seed: ProductSeed): Product {
    return this.store.catalog.add(seed)
  }

  /**
   * Sets the stock of a product.
   *
   * @param stock the number of units in stock; undefined disables stock tracking
   * @throws TypeError if the product is unknown or the number is invalid
   */
  setStock(productId: string, stock: number | undefined): void {
    this.store.catalog.setStock(productId, stock)
  }

  /**
   * Adds a cart, such as a saved cart, a quote, or a cart that an attacker has prepared.
   *
   * @returns the cart
   * @throws TypeError if an option or SKU is unknown, a quantity is invalid, or the id is already in use
   */
  addCart(seed: CartSeed): Cart {
    return this.store.carts.add(seed)
  }

  /** Returns the cart with an id. Undefined if there is none: unlike the API, this method does not create it. */
  cart(id: string): Cart | undefined {
    return this.store.carts.get(id)
  }

  /**
   * Moves the simulator's clock forward. It determines when codes, tokens and carts expire. The clock of the process
   * does not change.
   *
   * @param seconds 0 or more
   * @throws RangeError if the number is negative or not finite
   */
  advance(seconds: number): void {
    this.store.advance(seconds)
  }

  /**
   * Sets the difference between the simulator's clock and the machine's. The header `Date` of responses has the
   * simulator's time.
   *
   * @param seconds positive: the simulator's clock is ahead; negative: it is behind
   * @throws RangeError if it is not a finite number
   */
  setClockSkew(seconds: number): void {
    this.store.setSkew(seconds)
  }

  /** Returns the time of the simulator's clock. */
  now(): Date {
    return new Date(this.store.now())
  }

  /** Revokes all access tokens. */
  revokeAccessTokens(): void {
    this.store.accessTokens.revokeAll()
  }

  /** Revokes all account tokens. */
  revokeAccountTokens(): void {
    this.store.accountTokens.revokeAll()
  }

  /** The number of open connections. */
  get connections(): number {
    return this.listener.connections
  }

  /** Closes all connections immediately, including idle ones. */
  dropConnections(): void {
    this.listener.dropConnections()
  }

  /** Sends a 408 on each idle connection and closes it, as load balancers do. */
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
