import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chronicle, curveColumns, emptyChronicle, type Section } from '../../chronicle/chronicle.js';
import { CurveKeeper } from '../../chronicle/curve-keeper.js';
import { type ChronicleSource, Feed, type Known, NOTHING_KNOWN, type RunMessage } from '../feed.js';
import { takeNews } from './runs.js';

/** A source that tests change. */
class Changing implements ChronicleSource {
  chronicle: Chronicle = { ...emptyChronicle, about: { identity: 'a', startedAt: 'now' } as Chronicle['about'] };
  version = 1;
  readonly #versions = new Map<Section, number>([['about', 1]]);
  readonly #keeper = new CurveKeeper(8);

  get curveGeneration(): number {
    return this.#keeper.generation;
  }

  versionOf(section: Section): number {
    return this.#versions.get(section) ?? 0;
  }

  set<S extends Section>(section: S, value: Chronicle[S]): void {
    this.chronicle = { ...this.chronicle, [section]: value };
    this.#versions.set(section, ++this.version);
  }

  addPoint(value: number): void {
    const point = Object.fromEntries(curveColumns.map((name) => [name, value])) as Parameters<CurveKeeper['add']>[0];
    if (this.#keeper.add(point)) this.set('curve', this.#keeper.curve);
  }
}

const read = (text: string): RunMessage => JSON.parse(text) as RunMessage;

describe('a feed', () => {
  it('tells a new viewer everything, then only what has changed, then nothing', () => {
    const source = new Changing();
    const feed = new Feed(0, 'run', source);
    source.addPoint(1);
    source.set('log', [{ seconds: 1, kind: 'run', text: 'begins' }]);
    const first = feed.newsFor(NOTHING_KNOWN);
    expect(Object.keys(read(first?.text ?? '').sections).sort()).toEqual(['about', 'curve', 'log']);
    source.addPoint(2);
    const second = feed.newsFor(first?.known as Known);
    expect(read(second?.text ?? '').sections).toMatchObject({ curve: { from: 1, points: { loss: [2] } } });
    expect(Object.keys(read(second?.text ?? '').sections)).toEqual(['curve']);
    expect(feed.newsFor(second?.known as Known)).toBeUndefined();
  });

  it('shares the text between viewers that know the same', () => {
    const feed = new Feed(0, 'run', new Changing());
    expect(feed.newsFor(NOTHING_KNOWN)).toBe(feed.newsFor({ ...NOTHING_KNOWN }));
  });

  it('brings every viewer to the same state, however often it was skipped', () => {
    const change = fc.oneof(
      fc.integer({ min: 0, max: 9 }).map((value) => ({ kind: 'point' as const, value })),
      fc.integer({ min: 0, max: 9 }).map((value) => ({ kind: 'status' as const, value })),
      fc.constant({ kind: 'look' as const, value: 0 }),
    );
    fc.assert(
      fc.property(fc.array(change, { maxLength: 80 }), (changes) => {
        const source = new Changing();
        const feed = new Feed(0, 'run', source);
        let known: Known = NOTHING_KNOWN;
        let run: ReturnType<typeof takeNews> | undefined;
        const look = (): void => {
          const news = feed.newsFor(known);
          if (news === undefined) return;
          known = news.known;
          run = takeNews(run, read(news.text));
        };
        for (const { kind, value } of changes) {
          if (kind === 'point') source.addPoint(value);
          else if (kind === 'status') source.set('status', { ...emptyChronicle.status, step: value });
          else look();
        }
        look();
        expect(run?.chronicle.curve).toEqual(source.chronicle.curve);
        if (source.versionOf('status') > 0) expect(run?.chronicle.status).toEqual(source.chronicle.status);
      }),
    );
  });
});

describe('a page', () => {
  const about = (startedAt: string, resumedStep: number, identity = 'a') =>
    ({ identity, startedAt, resumedStep, stepsPerEpoch: 10 }) as NonNullable<Chronicle['about']>;
  const curve = (...values: number[]) =>
    Object.fromEntries(curveColumns.map((name) => [name, values])) as unknown as Chronicle['curve'];
  const line = (text: string) => ({ seconds: 0, kind: 'run' as const, text });
  const told = (sections: RunMessage['sections']): RunMessage => ({ run: 0, name: 'run', sections });
  const before = takeNews(
    undefined,
    told({ about: about('1', 0), curve: { from: 0, points: curve(0.5, 1, 1.5) }, log: [line('begins')] }),
  );

  it('keeps the curve up to the checkpoint, and the log, when another process goes on with the run', () => {
    let run = takeNews(before, told({ about: about('2', 10), log: [line('goes on')] }));
    expect(run.chronicle.curve?.epoch).toEqual([0.5, 1]);
    run = takeNews(run, told({ curve: { from: 0, points: curve(1.2) } }));
    run = takeNews(run, told({ curve: { from: 1, points: curve(1.4) } }));
    expect(run.chronicle.curve?.loss).toEqual([0.5, 1, 1.2, 1.4]);
    expect(run.chronicle.log?.map(({ text }) => text)).toEqual(['begins', 'goes on']);
  });

  it('takes what the same process tells again for what it is', () => {
    const run = takeNews(before, told({ about: about('1', 0), curve: { from: 0, points: curve(0.5, 1) } }));
    expect(run.chronicle.curve?.epoch).toEqual([0.5, 1]);
  });

  it.each([
    ['another run', about('2', 10, 'b')],
    ['the same run from its start', about('2', 0)],
  ])('forgets all when it is %s', (_, next) => {
    const run = takeNews(before, told({ about: next }));
    expect(run.chronicle.curve?.epoch).toEqual([]);
    expect(run.chronicle.log).toEqual([]);
  });
});
