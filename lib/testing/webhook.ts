import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import type { CodeEvent } from './codes'

/** An integration of the store's: where events go. */
export interface WebhookTarget {
  /** Where events are posted. */
  url: string
  /** Sent in the header `X-Moltin-Secret-Key`. */
  secretKey: string
  /** Deliveries of an event that is not taken with a 2xx: 5 by default. Elastic Path does not say how many. */
  attempts?: number
  /** Milliseconds before it is delivered again: 500 by default. */
  retryDelay?: number
  /** Milliseconds in which a 2xx has to come: 10 000 by default. */
  timeout?: number
}

/** Delivers events by HTTP, as Commerce's integrations do. */
export class Webhook {
  private readonly integrationId = randomUUID()
  private readonly underWay = new Set<() => void>()

  constructor(
    private readonly target: WebhookTarget,
    private readonly realmId: string,
  ) {
    if (!/^https?:$/.test(new URL(target.url).protocol))
      throw new TypeError('webhook.url must be http: or https:')
  }

  deliver(event: CodeEvent, memberId: string, attempt = 1): void {
    const { url, secretKey, attempts = 5, retryDelay = 500 } = this.target
    const body = JSON.stringify(this.envelope(event, memberId, attempt))
    const headers = { 'content-type': 'application/json', 'x-moltin-secret-key': secretKey }
    this.post(url, headers, body, (taken) => {
      if (taken || attempt >= attempts) return
      const timer = setTimeout(() => {
        this.underWay.delete(cancel)
        this.deliver(event, memberId, attempt + 1)
      }, retryDelay)
      const cancel = () => clearTimeout(timer)
      this.underWay.add(cancel)
    })
  }

  stop(): void {
    for (const cancel of this.underWay) cancel()
    this.underWay.clear()
  }

  private post(
    url: string,
    headers: http.OutgoingHttpHeaders,
    body: string,
    done: (taken: boolean) => void,
  ): void {
    const { request } = url.startsWith('https:') ? https : http
    // A connection of its own, so that none is left open.
    const call = request(url, { method: 'POST', headers, agent: false })
    const timer = setTimeout(() => call.destroy(), this.target.timeout ?? 10_000)
    const cancel = () => {
      stopped = true
      clearTimeout(timer)
      call.destroy()
    }
    let stopped = false
    let status = 0
    call.on('response', (response) => {
      status = response.statusCode ?? 0
      response.resume()
    })
    // A failed call ends in 'close' as well.
    call.on('error', () => undefined)
    call.on('close', () => {
      clearTimeout(timer)
      this.underWay.delete(cancel)
      if (!stopped) done(status >= 200 && status < 300)
    })
    this.underWay.add(cancel)
    call.end(body)
  }

  /** Fact 22. */
  private envelope(event: CodeEvent, memberId: string, attempt: number) {
    const { eventId, username, email, name, otp, purpose, passwordProfileId, createdAt } = event
    return {
      id: eventId,
      triggered_by: 'one-time-password-token-request.created',
      attempt,
      integration: {
        id: this.integrationId,
        integration_type: 'webhook',
        name: 'One-time passwords',
        description: 'Delivers codes to the shop',
      },
      payload: {
        authentication_realm_id: this.realmId,
        created_at: createdAt,
        one_time_password_token: otp,
        password_profile_id: passwordProfileId,
        purpose,
        updated_at: createdAt,
        user_authentication_info: { email, id: memberId, name },
        // Any id will do: nothing else of the simulator shows it.
        user_authentication_password_profile_info: {
          id: memberId,
          password_profile_id: passwordProfileId,
          username,
        },
      },
      configuration: { secret_key: this.target.secretKey, url: this.target.url },
    }
  }
}
