-- The job engine's database, beside the main one: the first start of an empty `data` runs this.
CREATE DATABASE workflows;
