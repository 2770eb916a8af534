export default function add({ a, b }) {
  return a + b;
}
