const { journey } = require('./journey')

// A journey that breaks off without an error is no success either.
process.exitCode = 1
void journey().then(() => {
  process.exitCode = 0
})
