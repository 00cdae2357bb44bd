import { EventEmitter, once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { simpleParser, type ParsedMail } from 'mailparser'
import { SMTPServer } from 'smtp-server'

/** A mail server on this machine that keeps what it gets. */
export class TestMailServer {
  readonly letters: ParsedMail[] = []
  /** How many letters it will refuse from now on. */
  refusals = 0
  private readonly arrivals = new EventEmitter()
  private readonly server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      simpleParser(stream).then((letter) => {
        if (this.refusals > 0) {
          this.refusals--
          done(new Error('Try again later'))
          return
        }
        this.letters.push(letter)
        done()
        this.arrivals.emit('letter')
      }, done)
    },
  })

  async start(): Promise<string> {
    this.server.listen(0, '127.0.0.1')
    await once(this.server.server, 'listening')
    return `smtp://127.0.0.1:${(this.server.server.address() as AddressInfo).port}`
  }

  /** The first letter since the letters were cleared, as soon as it is there. */
  async letter(): Promise<ParsedMail> {
    for (;;) {
      const [letter] = this.letters
      if (letter) return letter
      await once(this.arrivals, 'letter')
    }
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(resolve))
  }
}
