/** Every second command of docs/*.md; the others are in documented-commands.slow.test.ts. */
import { testDocuments } from './document-runs.ts';

testDocuments(1);
