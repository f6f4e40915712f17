// Package model has a model of how the nodes of a cluster fence one another, and a test that Spin
// finds no error in it. See README.md.
package model
