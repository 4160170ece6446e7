/** A computer with one process on it. */
export class Machine {
  isAlive = true;
  /** What happens to it before this waits until then: a closed lid, a debugger. */
  frozenUntilMs = 0;

  constructor(
    readonly name: string,
    readonly host: string,
  ) {}
}
