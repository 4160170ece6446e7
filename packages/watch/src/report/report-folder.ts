/**
 * What a run leaves to be looked at in its folder: its chronicle, written anew after each epoch, and at the end
 * report.html and the pictures in it.
 */
import { join } from 'node:path';
import type { RunEvent } from '@lockstep/core/events';
import { writeFileAtomically } from '@lockstep/core/files';
import type { RunObserver } from '@lockstep/core/seams';
import { countOf } from '@lockstep/core/text';
import type { Chronicle } from '../chronicle/chronicle.js';
import type { Chronicler } from '../chronicle/chronicler.js';
import type { RunFolder } from '../files/run-folder.js';
import { drawConfusion } from './confusion-picture.js';
import { drawCurvePanels, drawCurves } from './curves-picture.js';
import { drawMistakeSheet, drawMistakes } from './mistakes-picture.js';
import { drawReport } from './report-page.js';

export const CHRONICLE_FILE = 'chronicle.json';

export class ReportFolder implements RunObserver {
  readonly name = "the report in the run's folder";

  /**
   * @param folder nothing is written until it is made, or an epoch is over
   * @param chronicler must be told of everything before this one
   * @param commandOf the command that does the run in a folder again
   */
  constructor(
    private readonly folder: RunFolder,
    private readonly chronicler: Chronicler,
    private readonly commandOf?: (folder: string) => string,
  ) {}

  onEvent({ event }: RunEvent): void {
    if (event === 'epoch') this.#write(CHRONICLE_FILE, JSON.stringify(this.chronicler.chronicle));
  }

  close(): void {
    const { chronicle } = this.chronicler;
    if (chronicle.about === undefined || this.folder.path === undefined) return;
    this.#write(CHRONICLE_FILE, JSON.stringify(chronicle));
    for (const [name, content] of drawAll(chronicle, this.commandOf?.(this.folder.path))) this.#write(name, content);
  }

  #write(name: string, content: string | Uint8Array): void {
    writeFileAtomically(join(this.folder.make(), name), [typeof content === 'string' ? Buffer.from(content) : content]);
  }
}

function drawAll(chronicle: Chronicle, again: string | undefined): [name: string, content: string | Uint8Array][] {
  const { judgement, about } = chronicle;
  const names = about?.classNames ?? [];
  const curves = drawCurves(chronicle);
  const confusion = judgement && drawConfusion(judgement, names);
  const mistakes = judgement && drawMistakes(judgement.mistakes, names, describeMistakes(judgement));
  const sheet = judgement && drawMistakeSheet(judgement.mistakes);
  return [
    ['report.html', drawReport(chronicle, { curves: drawCurvePanels(chronicle), confusion }, again)],
    ['learning-curves.svg', curves],
    ...(confusion === undefined ? [] : [['confusion.svg', confusion] as [string, string]]),
    ...(mistakes === undefined ? [] : [['mistakes.svg', mistakes] as [string, string]]),
    ...(sheet === undefined ? [] : [['mistakes.png', sheet] as [string, Uint8Array]]),
  ];
}

const describeMistakes = ({ mistakes, correct, total }: NonNullable<Chronicle['judgement']>): string =>
  `The ${mistakes.length} most confident of ${countOf(total - correct, 'mistake')} in ${countOf(total, 'image')}`;
