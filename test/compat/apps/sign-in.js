const { journey } = require('./journey')

// A journey that ends early without an error fails, too.
process.exitCode = 1
void journey().then(() => {
  process.exitCode = 0
})
