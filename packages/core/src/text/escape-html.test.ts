import { expect, it } from 'vitest';
import { escapeHtml } from './escape-html.js';

it('leaves no character that could begin a tag, an entity or end an attribute', () => {
  expect(escapeHtml('<a href="x">R&D\'s</a>')).toBe("&lt;a href=&quot;x&quot;&gt;R&amp;D's&lt;/a&gt;");
});
