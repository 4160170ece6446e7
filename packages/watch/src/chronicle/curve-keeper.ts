/** Keeps the points of a run's course in bounded memory: when there are too many, neighbours are joined to their mean. */
import { type Curve, curveColumns } from './chronicle.js';

export type CurvePoint = Readonly<Record<(typeof curveColumns)[number], number>>;

type Columns = Record<(typeof curveColumns)[number], number[]>;

export class CurveKeeper {
  readonly #columns: Columns = { epoch: [], loss: [], accuracy: [], learningRate: [], imagesPerSecond: [] };
  #stride = 1;
  #pending: CurvePoint[] = [];

  /** @param most points kept; even */
  constructor(private readonly most: number) {}

  get curve(): Curve {
    return this.#columns;
  }

  /** Grows whenever points that were there before have changed. */
  generation = 0;

  /** Takes a point; returns whether the curve has changed. */
  add(point: CurvePoint): boolean {
    this.#pending.push(point);
    if (this.#pending.length < this.#stride) return false;
    const points = this.#pending.splice(0);
    for (const name of curveColumns)
      this.#columns[name].push(
        join(
          name,
          points.map((each) => each[name]),
        ),
      );
    if (this.#columns.epoch.length >= this.most) this.#halve();
    return true;
  }

  /** Leaves out what is after so many epochs; returns whether the curve has changed. */
  goBack(epoch: number): boolean {
    this.#pending = [];
    const count = this.#columns.epoch.findLastIndex((at) => at <= epoch) + 1;
    if (count === this.#columns.epoch.length) return false;
    for (const name of curveColumns) this.#columns[name].splice(count);
    this.generation += 1;
    return true;
  }

  #halve(): void {
    for (const name of curveColumns) {
      const values = this.#columns[name];
      const half = Array.from({ length: values.length / 2 }, (_, i) => join(name, values.slice(2 * i, 2 * i + 2)));
      values.splice(0, values.length, ...half);
    }
    this.#stride *= 2;
    this.generation += 1;
  }
}

/** The mean; of what moves on, the last. */
const join = (name: (typeof curveColumns)[number], values: readonly number[]): number =>
  name === 'epoch' || name === 'learningRate'
    ? (values.at(-1) as number)
    : values.reduce((sum, value) => sum + value, 0) / values.length;
