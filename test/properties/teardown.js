module.exports = require('./total').teardown
