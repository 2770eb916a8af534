/** The commands that the bench calls. */
export const add = ({ a, b }) => a + b;
