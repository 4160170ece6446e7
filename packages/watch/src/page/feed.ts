/**
 * What a viewer is sent: the sections that changed since it was told last, and of a curve the points that are new. A
 * viewer that was skipped for a while gets all of it in one message, never more than a chronicle is long.
 */
import { type Chronicle, type Curve, curveColumns, type Section } from '../chronicle/chronicle.js';

/** A chronicle that may still change. */
export interface ChronicleSource {
  readonly chronicle: Chronicle;
  /** Counts changes of any section, from 1. */
  readonly version: number;
  /** The count at a section's last change; 0 when it never did. */
  versionOf(section: Section): number;
  /** Grows whenever points of the curve that were there before have changed. */
  readonly curveGeneration: number;
}

/** How much a viewer knows of a source. */
export interface Known {
  readonly version: number;
  readonly points: number;
  readonly generation: number;
}

export const NOTHING_KNOWN: Known = { version: 0, points: 0, generation: -1 };

/** Points that follow the first `from` of the curve that the viewer has. */
export interface CurveNews {
  readonly from: number;
  readonly points: Curve;
}

export type SectionNews = Partial<Omit<Chronicle, 'curve'>> & { readonly curve?: CurveNews };

export interface News {
  /** A message: JSON of a `RunMessage`. */
  readonly text: string;
  readonly known: Known;
}

export interface RunMessage {
  /** From 0. */
  readonly run: number;
  readonly name: string;
  readonly sections: SectionNews;
}

export class Feed {
  #last: { readonly known: Known; readonly version: number; readonly news: News } | undefined;

  constructor(
    readonly index: number,
    readonly name: string,
    readonly source: ChronicleSource,
  ) {}

  /** What is new to a viewer; undefined when nothing is. Viewers that know the same share the text. */
  newsFor(known: Known): News | undefined {
    const { version } = this.source;
    if (known.version === version) return undefined;
    const last = this.#last;
    if (last?.version === version && isSame(last.known, known)) return last.news;
    const news = this.#write(known);
    this.#last = { known, version, news };
    return news;
  }

  #write(known: Known): News {
    const { source, index, name } = this;
    const { curve, ...others } = source.chronicle;
    const changed = (Object.keys(others) as (keyof typeof others)[]).filter(
      (section) => source.versionOf(section) > known.version,
    );
    const sections: SectionNews = Object.fromEntries(changed.map((section) => [section, others[section]]));
    const from = known.generation === source.curveGeneration ? known.points : 0;
    const isCurveNew = source.versionOf('curve') > known.version;
    const message: RunMessage = {
      run: index,
      name,
      sections: isCurveNew ? { ...sections, curve: { from, points: cutCurve(curve, from) } } : sections,
    };
    return {
      text: JSON.stringify(message),
      known: { version: source.version, points: curve.epoch.length, generation: source.curveGeneration },
    };
  }
}

const isSame = (a: Known, b: Known): boolean =>
  a.version === b.version && a.points === b.points && a.generation === b.generation;

const cutCurve = (curve: Curve, from: number): Curve =>
  Object.fromEntries(curveColumns.map((name) => [name, curve[name].slice(from)])) as unknown as Curve;

/** A chronicle that is complete: of a run that has ended. */
export const completeSource = (chronicle: Chronicle): ChronicleSource => ({
  chronicle,
  version: 1,
  versionOf: () => 1,
  curveGeneration: 0,
});
