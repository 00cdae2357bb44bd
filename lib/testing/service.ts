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
  if (!body) return
  const { store, events } = parts
  const { method = '', url = '', headers } = request
  const [path = '', search = ''] = url.split('?', 2)
  const query = new URLSearchParams(search)
  const destination = parts.routes.find(method, path, body)
  const { call, keys } = destination
  const record = parts.requests.add(call, keys, request, path, query, body)
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
    try {
      const answer = destination.answer(store, api)
      return isPromise(answer) ? answer.catch(fail) : answer
    } catch (error) {
      return fail(error)
    }
  }
  let acted: Answer | Promise<Answer> | undefined
  const act = () => (acted ??= attempt())
  const answer = () => void whenReady(act(), (ready) => sendLate(reply, ready))

  const hold = parts.holds.next(keys)
  if (hold) {
    if (hold.afterEffect) await act()
    hold.arrive(record)
    await hold.opened
  }
  // Nothing is awaited from here on unless the request is held. `nextRequest` promises that the effect and the timers
  // exist by the time that it resolves.
  const applied = parts.faults.next(keys)
  if (!applied) {
    answer()
    return
  }
  const { fault, afterEffect } = applied
  if (afterEffect) void act()
  if (typeof fault === 'object' && 'delay' in fault) reply.later(fault.delay, answer)
  else if (acted === undefined) answerFault(fault, store, reply, () => destination.rehearse(store, api))
  else await whenReady(acted, (regular) => answerFault(fault, store, reply, () => regular))
}

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return value instanceof Promise
}

function whenReady(value: Answer | Promise<Answer>, action: (value: Answer) => void): void | Promise<void> {
  if (isPromise(value)) return value.then(action)
  action(value)
}

function sendLate(reply: Reply, answer: Answer): void {
  if (answer.delay) reply.later(answer.delay, () => reply.send(answer))
  else reply.send(answer)
}
