package release

import (
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/rocketmq-exporter/rocketmq_exporter/deploy/internal/ship"
)

// content is a file of a package.
type content struct {
	Src, Dst, Type, Packager string
	FileInfo                 map[string]any `yaml:"file_info"`
	Expand                   bool
}

// packageConfig is what nfpm and GoReleaser are told of packages, as far as both
// are told.
type packageConfig struct {
	Section, Priority, Maintainer, Vendor, License, Description string
	Contents                                                    []content
	Scripts                                                     map[string]string
	Overrides                                                   map[string]struct{ Depends, Dependencies []string }
	RPM                                                         map[string]any
}

// GoReleaser cannot read nfpm's file, so that each has all of it.
func TestTheReleaseMakesThePackagesOfMake(t *testing.T) {
	t.Parallel()
	var own packageConfig
	if err := yaml.Unmarshal([]byte(ship.Read(t, "deploy/package/nfpm.yaml")), &own); err != nil {
		t.Fatal(err)
	}
	var all struct{ Nfpms []packageConfig }
	if err := yaml.Unmarshal([]byte(ship.Read(t, ".goreleaser.yaml")), &all); err != nil {
		t.Fatal(err)
	}
	release := all.Nfpms[0]

	// GoReleaser adds the binary itself, and begins at the root of the repository.
	own.Contents = slices.DeleteFunc(own.Contents, func(c content) bool { return c.Src == "${BINARY}" })
	for i := range own.Contents {
		c := &own.Contents[i]
		c.Expand = false
		switch below, outside := strings.CutPrefix(c.Src, "../"); {
		case outside:
			c.Src = below
		case c.Src == "${LICENSES}":
			c.Src = "dist/LICENSES"
		case c.Src != "":
			c.Src = "deploy/" + c.Src
		}
	}
	for name, script := range own.Scripts {
		own.Scripts[name] = "deploy/" + script
	}
	for name, o := range own.Overrides {
		o.Depends, o.Dependencies = nil, o.Depends
		own.Overrides[name] = o
	}
	if len(own.Contents) < 5 || !reflect.DeepEqual(own, release) {
		t.Errorf("deploy/package/nfpm.yaml has\n%+v\n.goreleaser.yaml has\n%+v", own, release)
	}
}

// What make tells the compiler, GoReleaser does.
func TestTheReleaseBuildsAsMakeDoes(t *testing.T) {
	t.Parallel()
	// A release is made in dist.
	makefile := strings.NewReplacer("'$(LEAN)'", "dist/lean.mod").Replace(ship.Read(t, "Makefile"))
	var release struct {
		Builds []struct {
			Env, Flags, Ldflags, Targets []string
		}
	}
	if err := yaml.Unmarshal([]byte(ship.Read(t, ".goreleaser.yaml")), &release); err != nil {
		t.Fatal(err)
	}
	b := release.Builds[0]
	for _, flag := range slices.Concat(b.Env, b.Flags) {
		if !strings.Contains(makefile, flag) {
			t.Errorf("make does not say %s", flag)
		}
	}
	stamps := regexp.MustCompile(`-X \$\(STAMP\)\.(\w+)=\$\((\w+)\)`).FindAllStringSubmatch(makefile, -1)
	if len(stamps) == 0 || len(b.Ldflags) != len(stamps)+1 || b.Ldflags[0] != "-s -w" {
		t.Errorf("make has %d stamps, the release %q", len(stamps), b.Ldflags)
	}
	for _, s := range stamps {
		if want := "-X github.com/prometheus/common/version." + s[1] + "={{ .Env." + s[2] + " }}"; !slices.Contains(b.Ldflags, want) {
			t.Errorf("the release does not say %s", want)
		}
	}
	platforms := "PLATFORMS ?= " + strings.ReplaceAll(strings.Join(b.Targets, " "), "_", "/") + "\n"
	if !strings.Contains(makefile, platforms) {
		t.Errorf("make does not say %s", platforms)
	}
}
