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

/** What a request meets on its way to its answer. */
export interface Parts {
  store: Store
  routes: Routes
  requests: Requests
  holds: Holds
  faults: Rules<{ fault: Fault; afterEffect: boolean }>
  events: Events
  /** The scheme, host and port of the links in answers. */
  origin(): string
  /** Receives what a handler threw. */
  report(error: unknown): void
}

/** Answers one request: it is recorded, perhaps held, perhaps goes wrong, and else has its effect. */
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
  const attempt = async (): Promise<Answer> => {
    try {
      return await destination.answer(store, api)
    } catch (error) {
      parts.report(error)
      return store.refusal(500)
    }
  }
  let acted: Promise<Answer> | undefined
  const act = () => (acted ??= attempt())

  const hold = parts.holds.next(keys)
  if (hold) {
    if (hold.afterEffect) await act()
    hold.arrive(record)
    await hold.opened
  }
  const struck = parts.faults.next(keys)
  if (!struck) {
    sendLate(reply, await act())
    return
  }
  const { fault } = struck
  const isLate = typeof fault === 'object' && 'delay' in fault
  const before = struck.afterEffect ? await act() : undefined
  if (isLate) reply.later(fault.delay, () => void act().then((answer) => sendLate(reply, answer)))
  else answerFault(fault, store, reply, () => before ?? destination.rehearse(store, api))
}

function sendLate(reply: Reply, answer: Answer): void {
  if (answer.delay) reply.later(answer.delay, () => reply.send(answer))
  else reply.send(answer)
}
