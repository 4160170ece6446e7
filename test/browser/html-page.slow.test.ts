/** The page once more, on every test image. */
import './html-page.test.ts';
