import { Router } from 'express'
import type { StoredMail } from '../mail'

/** The emails that an SMTP server would have got. */
export function mailboxRoutes(mailbox: readonly StoredMail[]): Router {
  return Router().get('/mailbox', (_req, res) => res.render('mailbox', { mailbox }))
}
