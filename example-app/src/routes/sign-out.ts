import { Router, type RequestHandler } from 'express'
import { logEvent } from '../events'
import { field } from '../http/input'
import { endSession } from '../sessions/session'
import type { Storage } from '../storage/storage'

export function signOutRoutes(storage: Pick<Storage, 'endSignIns'>): Router {
  return (
    Router()
      .post('/logout', signOut())
      // For a lost phone, or a colleague's computer: this session and all others of the member.
      .post('/logout/everywhere', signOut({ everywhere: true }))
  )

  function signOut({ everywhere = false } = {}): RequestHandler {
    return async (req, res) => {
      if (req.user) {
        logEvent(req, 'sign-out', { reason: everywhere ? 'asked for, everywhere' : 'asked for' })
        if (everywhere) await storage.endSignIns(req.user.accountMemberId)
      }
      await endSession(req, res)
      // Whoever opened somebody else's link from an email continues there.
      res.redirect(303, field(req, 'next') === 'link' ? '/login/link' : '/')
    }
  }
}
