package database

import "database/sql/driver"

// recording has what a connection writes written down. It is set in programs with the build tag record alone.
var recording func(made driver.Conn, database string) driver.Conn

// Written is a statement that was written down.
type Written struct {
	Statement string
	Args      []Arg
}

// Arg is an argument of a statement: nil, or one of the types that engines know.
type Arg struct{ Value driver.Value }
