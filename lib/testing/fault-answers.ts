import type { Fault } from './faults'
import { isObject } from './fields'
import type { Answer } from './messages'
import type { Store } from './store'
import type { Reply } from './wire'

const BAD_GATEWAY = '<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>'
const REALM_NOT_FOUND = 'the authorization realm for the token could not be found'

/**
 * Sends the response that a fault defines.
 *
 * @param regular returns the response that the endpoint would send without the fault
 */
export function answerFault(
  fault: Exclude<Fault, { delay: number }>,
  store: Store,
  reply: Reply,
  regular: () => Answer,
): void {
  // Not the response's socket: a pipelined response has none until the earlier responses are sent.
  const { socket } = reply.response.req
  if (fault === 'hang') return
  // Node never closes a socket that is reset after its own end, and then spins at the exit of the process.
  if (fault === 'reset' && socket.writable) socket.resetAndDestroy()
  else if (fault === 'reset') socket.destroy()
  else if (fault === 'close') socket.destroySoon()
  else if (fault === 'truncated') reply.truncate(regular())
  else if (fault === 'oversized') reply.flood(regular())
  else if (fault === 'slow') reply.dribble(regular())
  else if (typeof fault === 'object' && 'compressed' in fault) reply.send(regular(), fault.compressed)
  else reply.send(instead(fault, store, regular))
}

function instead(
  fault: Exclude<
    Fault,
    | 'hang'
    | 'reset'
    | 'close'
    | 'truncated'
    | 'oversized'
    | 'slow'
    | { delay: number }
    | { compressed: string }
  >,
  store: Store,
  regular: () => Answer,
): Answer {
  if (fault === 'html') return { status: 502, body: BAD_GATEWAY, headers: { 'content-type': 'text/html' } }
  if (fault === 'malformed') return { ...regular(), body: '{"data":[{"type":' }
  if (fault === 'half_valid') {
    const answer = regular()
    return { ...answer, body: spoil(answer.body) }
  }
  if (fault === 'refused_bearer') return store.refusedBearer()
  if (fault === 'request_timeout') return { ...store.refusal(408), headers: { connection: 'close' } }
  if ('redirect' in fault) return { status: 307, headers: { location: fault.redirect } }
  if ('rateLimited' in fault) return store.rateLimited(fault.rateLimited)
  if ('realmNotFound' in fault) return store.refusal(fault.realmNotFound, REALM_NOT_FOUND)
  return { body: fault.status < 400 ? undefined : store.refusal(fault.status).body, ...fault }
}

/** Replaces one value of a valid response by an invalid one. */
function spoil(body: unknown): unknown {
  if (!isObject(body)) return { data: [null] }
  const { data } = body
  if ('access_token' in body) return { ...body, access_token: 42 }
  if (Array.isArray(data)) {
    const first: unknown = data[0]
    return {
      ...body,
      data: [...(data as unknown[]), { ...(isObject(first) && first), id: null, token: 42, expires: 'soon' }],
    }
  }
  if (!isObject(data)) return { ...body, data: [null] }
  return {
    ...body,
    data: {
      ...data,
      id: 42,
      access_token: 42,
      relationships: { authentication_realm: { data: { id: 42 } } },
    },
  }
}
