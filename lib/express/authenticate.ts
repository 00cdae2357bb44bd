import type { Request } from 'express'
import type { DiagnosticMessage } from '../diagnostics'
import { asError, FAILURE_STATUS, type FailureInfo } from '../errors'
import type { Services } from '../services'
import { signIn, type SignIn } from '../sign-in/sign-in'
import { untilUniformTime } from '../uniform-time'
import { connectionOf } from './handler'
import { announceRetryAfter, end, type Outcomes } from './passport'

/** One sign-in on behalf of Passport: it ends in exactly one outcome. */
export async function authenticate(services: Services, outcomes: Outcomes, req: Request): Promise<void> {
  const { settings, run } = services
  const startedAt = performance.now()
  let result: SignIn
  try {
    result = await run({ name: 'sign-in', connection: connectionOf(req), failureOf }, (context) =>
      signIn(services, req, context),
    )
  } catch (error) {
    end(outcomes, req, () => outcomes.error(asError(error)))
    return
  }
  if ('user' in result) {
    const { user, info } = result
    end(outcomes, req, () => outcomes.success(user as Express.User, info as object))
    return
  }
  if ('refusal' in result) {
    const { refusal } = result
    end(outcomes, req, () => outcomes.fail(refusal))
    return
  }
  const { failure, retryAfter } = result
  // Elastic Path may take longer for usernames that exist.
  if (failure === 'invalid_credentials') await untilUniformTime(startedAt, settings.uniformResponseTime)
  const info: FailureInfo = { code: failure, message: settings.messages[failure] }
  if (retryAfter !== undefined) {
    info.retryAfter = retryAfter
    announceRetryAfter(req.res, retryAfter)
  }
  end(outcomes, req, () => outcomes.fail(info, FAILURE_STATUS[failure]))
}

function failureOf(result: SignIn): DiagnosticMessage['code'] {
  if ('user' in result) return undefined
  return 'refusal' in result ? 'refused_by_verify' : result.failure
}
