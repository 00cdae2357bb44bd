import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Events } from './events'
import { answerFault } from './fault-answers'
import type { Fault } from './faults'
import type { Holds } from './holds'
import type { Answer } from './messages'
import { readBody, type Requests } from './requests'
import type { Routes } from './routes'
import type { Rules } from './rules'
import type { Store } from './store'
import { Reply } from './wire'

/** The parts of the simulator that handle requests. */
export interface Parts {
  store: Store
  routes: Routes
  requests: Requests
  holds: Holds
  faults: Rules<{ fault: Fault; afterEffect: boolean }>
  events: Events
  /** The scheme, host and port for links in responses. */
  origin(): string
}

/** Handles one request: records it, applies holds and faults, and sends the response. */
export async function serve(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await readBody(request)
  const { store, events } = parts
  const { method = '', url = '', headers } = request
  const path = url.replace(/\?.*/, '')
  const query = new URLSearchParams(url.slice(path.length))
  const destination = parts.routes.find(method, path, body)
  const { call, keys } = destination
  const record = parts.requests.add(
    { call, method, path, query: Object.fromEntries(query), headers },
    body,
    keys,
  )
  const reply = new Reply(
    response,
    () => store.now(),
    (status) => (record.status = status),
  )
  response.once('close', () => {
    if (record.status !== undefined) events.emit('answer', record)
  })
  events.emit('request', record)

  const api = { origin: parts.origin(), method, path, query, headers, body }
  const fail = (error: unknown): Answer => {
    events.report(error)
    return store.refusal(500)
  }
  const attempt = () => {
    const answer = destination.answer(store, api)
    return isPromise(answer) ? answer.catch(fail) : answer
  }
  let acted: Answer | Promise<Answer> | undefined
  const act = () => (acted ??= attempt())
  const answer = () => whenReady(act(), (ready) => sendLate(reply, ready))

  const hold = parts.holds.next(keys)
  if (hold) {
    if (hold.afterEffect) await act()
    hold.arrive(record)
    await hold.opened
  }
  // After the event, nothing is awaited before the effect and the timers exist, unless the request is held. `nextRequest`
  // promises this.
  const applied = parts.faults.next(keys)
  if (!applied) {
    await answer()
    return
  }
  const { fault, afterEffect } = applied
  if (afterEffect) void act()
  if (typeof fault === 'object' && 'delay' in fault) {
    await reply.delay(fault.delay)
    await answer()
  } else if (acted === undefined) answerFault(fault, store, reply, () => destination.rehearse(store, api))
  else await whenReady(acted, (regular) => answerFault(fault, store, reply, () => regular))
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise
}

function whenReady<T>(value: Answer | Promise<Answer>, action: (value: Answer) => T): T | Promise<T> {
  return isPromise(value) ? value.then(action) : action(value)
}

async function sendLate(reply: Reply, answer: Answer): Promise<void> {
  if (answer.delay) await reply.delay(answer.delay)
  reply.send(answer)
}
