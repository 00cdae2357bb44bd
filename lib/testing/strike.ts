import type { ServerResponse } from 'node:http'
import type { Fault } from './faults'
import { isObject } from './fields'
import type { Answer, Store } from './store'
import { dribble, flood, send, truncate } from './wire'

const BAD_GATEWAY = '<!doctype html><title>502 Bad Gateway</title><h1>502 Bad Gateway</h1>'

/**
 * Answers a request as a fault wants it.
 *
 * @param truth is what the request would be answered, without effect unless it has had it already
 * @param act gives the request its effect, and the answer
 */
export function strike(
  fault: Fault,
  store: Store,
  response: ServerResponse,
  truth: () => Answer,
  act: () => Answer,
): void {
  if (fault === 'hang') return
  if (fault === 'reset') response.socket?.resetAndDestroy()
  else if (fault === 'truncated') truncate(response, truth())
  else if (fault === 'oversized') flood(response, truth())
  else if (fault === 'slow') dribble(response, truth())
  else if (typeof fault === 'object' && 'delay' in fault) {
    const timer = setTimeout(() => send(response, act()), fault.delay)
    response.once('close', () => clearTimeout(timer))
  } else send(response, instead(fault, store, truth))
}

function instead(
  fault: Exclude<Fault, 'hang' | 'reset' | 'truncated' | 'oversized' | 'slow' | { delay: number }>,
  store: Store,
  truth: () => Answer,
): Answer {
  if (fault === 'html') return { status: 502, body: BAD_GATEWAY, headers: { 'content-type': 'text/html' } }
  if (fault === 'malformed') return { ...truth(), body: '{"data":[{"type":' }
  if (fault === 'half_valid') return { ...truth(), body: spoil(truth().body) }
  if (fault === 'refused_bearer') return store.refusedBearer()
  if ('redirect' in fault) return { status: 307, headers: { location: fault.redirect } }
  if ('rateLimited' in fault) return store.rateLimited(fault.rateLimited)
  return { body: fault.status < 400 ? undefined : store.refusal(fault.status).body, ...fault }
}

/** Puts a thing that cannot be into an answer that is right otherwise. */
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
    data: { ...data, access_token: 42, relationships: { authentication_realm: { data: { id: 42 } } } },
  }
}
