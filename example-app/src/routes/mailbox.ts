import { Router } from 'express'
import type { StoredMail } from '../mail'

/** What an SMTP server would have got, while there is none. */
export function mailboxRoutes(mailbox: readonly StoredMail[]): Router {
  return Router().get('/mailbox', (_req, res) => res.render('mailbox', { mailbox }))
}
