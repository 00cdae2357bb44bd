import type { PasswordlessOtpStrategy } from '../../lib'

/** How a sign-in ended. */
export type End =
  | { how: 'success'; user: unknown; info: unknown }
  | { how: 'fail'; info: { code?: string }; status: number | undefined }
  | { how: 'error'; error: unknown }

/** Signs in as Passport does, with a strategy of the request's own; all the ends that it came to. */
export async function signIn(strategy: PasswordlessOtpStrategy, body: unknown): Promise<End[]> {
  const ends: End[] = []
  await new Promise<void>((resolve) => {
    const end = (one: End): void => {
      ends.push(one)
      // A second end would come in the same turn, or one soon after.
      setImmediate(resolve)
    }
    const own = Object.assign(Object.create(strategy) as object, {
      success: (user: unknown, info: unknown) => end({ how: 'success', user, info }),
      fail: (info: { code?: string }, status?: number) => end({ how: 'fail', info, status }),
      error: (error: unknown) => end({ how: 'error', error }),
    })
    // Passport's own types know of no strategy outside of it.
    ;(own as unknown as { authenticate: (req: object) => void }).authenticate({
      body,
      headers: {},
    })
  })
  return ends
}

/** What a handler hands to `next`. */
export function nextOf(
  handler: (req: never, res: never, next: (error?: unknown) => void) => unknown,
  req: object,
): Promise<unknown> {
  return new Promise((resolve) => void handler(req as never, {} as never, resolve))
}
