import { expect, it } from 'vitest';
import { checkFurther } from './test-schedules.js';

it('25,000 schedules end in the bits of the calm run (star)', async () =>
  expect(await checkFurther('star')).toEqual([]));
