/** `--format html`. */
import type { ExportFormat } from './export-format.js';
import { writeExport } from './output.js';

export const htmlFormat: ExportFormat = {
  name: 'html',
  description: 'one page, with the model in it, where a visitor draws and sees it recognized; needs no server',
  suffix: '.html',
  async write({ model, state, notes }, path) {
    const { exportHtml } = await import('@lockstep/core/exports');
    writeExport(path, exportHtml(model, state, notes));
    return ['open it in any browser; it needs no network'];
  },
};
