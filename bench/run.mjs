// Measures all of it, in some minutes: writes results/figures.json and what report.mjs makes of it. `--quick` tries it
// out in less than a minute, and prints the tables only.
import { cpus } from 'node:os'
import { write, writeReport, tables } from './report.mjs'
import { accounts, calls, parallel, signIns, signInsOnNode } from './sign-in.mjs'
import { overTls } from './tls.mjs'
import { usernameTiming } from './username-timing.mjs'

const quick = process.argv.includes('--quick')
const plan = quick
  ? {
      signIns: { sets: 1, rounds: 3, count: 200, warmUp: 1000 },
      signInsOnNode: { major: 24, sets: 1, rounds: 3, count: 200, warmUp: 1000 },
      accounts: { sizes: [1, 100], seconds: 0.1 },
      parallel: { levels: [1, 100], count: 200 },
      overTls: { samples: 1, pauses: 1, pause: 5000 },
      usernameTiming: { extras: [0, 20, 80, 150], requests: 4 },
    }
  : {
      signIns: { sets: 3, rounds: 12, count: 500, warmUp: 3000 },
      signInsOnNode: { major: 24, sets: 3, rounds: 12, count: 500, warmUp: 3000 },
      accounts: { sizes: [1, 10, 100, 1000, 10_000], seconds: 0.4 },
      parallel: { levels: [1, 10, 100, 1000], count: 1000 },
      overTls: { samples: 3, pauses: 3, pause: 10_000 },
      usernameTiming: { extras: [0, 20, 80, 150], requests: 30 },
    }

const parts = { signIns, signInsOnNode, calls, accounts, parallel, overTls, usernameTiming }
const figures = { node: process.version, cpu: `${cpus().length} × ${cpus()[0].model}` }
for (const [name, part] of Object.entries(parts)) {
  const startedAt = performance.now()
  figures[name] = await part(plan[name])
  console.error(`${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
}
if (quick) console.log(tables(figures))
else {
  await write(figures)
  console.log(await writeReport())
}
