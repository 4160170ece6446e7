@rem For the scripts of package.json: a shell of npm is the program that it starts (exec), so that a signal to npm reaches it.
@rem Windows has no such word, and finds this.
@%*
