import { configureTests } from './vitest.shared.ts';

// The processes that these tests start wait for each other much of the time, so two files at once also on two cores.
export default configureTests(['test', 'tools'], { atOnce: 2 });
