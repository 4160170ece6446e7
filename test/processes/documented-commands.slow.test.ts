/** Every second command of docs/*.md; the others are in documented-commands-2.slow.test.ts. */
import { testDocuments } from './document-runs.ts';

testDocuments(0);
