import { Interrupted, systemCode } from '../errors'
import type { Io } from '../io'
import { at } from '../json'

const TIMEOUT = 10_000

/**
 * Posts an event that is no code to a webhook, as Elastic Path would. `otpWebhook` ignores it, so nobody is mailed.
 *
 * @param secret - The secret key; without it, the webhook has to refuse.
 */
export async function postEvent(
  { fetch, signal }: Io,
  url: URL,
  secret?: string,
): Promise<{ status: number } | { failure: string }> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), TIMEOUT)
  try {
    const response = await fetch(url, {
      method: 'POST',
      redirect: 'manual',
      headers: {
        'content-type': 'application/json',
        ...(secret !== undefined && { 'x-moltin-secret-key': secret }),
      },
      body: JSON.stringify({ id: 'doctor', triggered_by: 'doctor.check', attempt: 1, payload: {} }),
      signal: AbortSignal.any([late.signal, signal]),
    })
    await response.body?.cancel()
    return { status: response.status }
  } catch (error) {
    if (signal.aborted) throw new Interrupted()
    if (late.signal.aborted) return { failure: `no answer within ${TIMEOUT / 1000} seconds` }
    return { failure: systemCode(at(error, 'cause')) || 'connection failed' }
  } finally {
    clearTimeout(timer)
  }
}
