/** A computer with one process on it. */
export class Machine {
  isAlive = true;
  /** Whether it sends what its process does. */
  isHonest = true;
  /** What happens to it before this waits until then: a closed lid, a debugger. */
  frozenUntilMs = 0;

  /** Bytes a millisecond that its process takes in and gives out, of what the network has; 0: none any more. */
  readsPerMs = Number.POSITIVE_INFINITY;
  writesPerMs = Number.POSITIVE_INFINITY;

  constructor(
    readonly name: string,
    readonly host: string,
  ) {}
}
