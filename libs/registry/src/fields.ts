/** Reading of fields of objects that nobody has validated. */
export {
  compareText,
  fieldsOf,
  itemsOf,
  type Labels,
  labelsOf,
  noLabels,
  portOf,
  selectorOf,
  textOf,
  textsOf,
} from '@seine/k8s';
