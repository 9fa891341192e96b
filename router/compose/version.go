package compose

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/agora-supergraph/agora/router/compose/internal/federation"
	"github.com/agora-supergraph/agora/router/compose/report"
)

var versionForm = regexp.MustCompile(`^(?:=|v|=v)?(\d+)(?:\.(\d+))?(?:\.\d+)?$`)

// newest is the newest version of federation that the configuration allows.
func (c Config) newest() (federation.Version, Errors) {
	if c.FederationVersion == "" || c.FederationVersion == "2" {
		return federation.Newest, nil
	}
	refuse := func(format string, args ...any) (federation.Version, Errors) {
		return federation.Version{}, Errors{{Code: report.UnknownFederationLinkVersion, Message: fmt.Sprintf(format, args...)}}
	}
	m := versionForm.FindStringSubmatch(c.FederationVersion)
	if m == nil {
		return refuse("Invalid federation version %q: write 2, 2.9 or =2.9.3", c.FederationVersion)
	}
	major, _ := strconv.Atoi(m[1])
	if major < 2 {
		return refuse("Federation version %q is not supported: federation 1 schemas are composed by the federation 2 algorithm; write 2 or leave the version out", c.FederationVersion)
	}
	minor := federation.Newest.Minor
	if m[2] != "" {
		minor, _ = strconv.Atoi(m[2])
	}
	v := federation.Version{Major: major, Minor: minor}
	if !federation.Newest.AtLeast(v) {
		return refuse("Federation version %q is not known: the newest is %s", c.FederationVersion, federation.Newest)
	}
	return v, nil
}

// CheckVersion tells whether a federation version can be composed for; the error says what can.
func CheckVersion(version string) error {
	if _, errs := (Config{FederationVersion: version}).newest(); len(errs) > 0 {
		return fmt.Errorf("%s", errs[0].Message)
	}
	return nil
}
