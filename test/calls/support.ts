import type { DiagnosticMessage } from '../../lib/diagnostics'
import type { Services } from '../../lib/services'
import type { PasswordlessOtpStrategyOptions } from '../../lib/options'
import { readOptions } from '../../lib/options'
import { Commerce } from '../../lib/commerce/commerce'
import { Context } from '../../lib/context'
import { afterTest } from '../commerce/support'

type Message = Partial<DiagnosticMessage> & { failed?: unknown }

/** The part of a strategy's services that calls need. It records what diagnostics would publish. */
export function openServices(options: Partial<PasswordlessOtpStrategyOptions>) {
  const as = (text: string): string => text
  const settings = readOptions(
    { clientId: 'client', ...options },
    { normalizeUsername: as, normalizeOtp: as },
  )
  const commerce = new Commerce(settings)
  afterTest(() => commerce.close())
  const messages: Message[] = []
  const run: Services['run'] = async ({ name, details }, work) => {
    const context = new Context(settings.timeout)
    try {
      const result = await commerce.part(work(context))
      if (name) messages.push({ operation: name, ...details?.() })
      return result
    } catch (failed) {
      if (name) messages.push({ operation: name, failed, ...details?.() })
      throw failed
    } finally {
      context.end()
    }
  }
  // Calls use nothing else of a strategy.
  const services = { settings, commerce, run } as unknown as Services
  return { services, commerce, messages }
}
